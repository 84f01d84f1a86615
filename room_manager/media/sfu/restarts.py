"""ICE restart (RFC 8445, section 9): what a new offer may change, and the answer to it. Pure."""

import re
from typing import Final

from room_manager.media.engine import BadOffer
from room_manager.media.sfu.sdp import Offer

_VERSION: Final = re.compile(r"^(o=- \d+ )(\d+)", re.MULTILINE)
_UFRAG: Final = re.compile(r"^a=ice-ufrag:[^\r\n]*", re.MULTILINE)
_PASSWORD: Final = re.compile(r"^a=ice-pwd:[^\r\n]*", re.MULTILINE)


def lasting(offer: Offer) -> str:
    """What of an offer stays for life: who the client is, and its sections in order."""
    sections = " ".join(f"{s.kind}:{s.mid}:{s.direction}" for s in offer.sections)
    return f"{offer.digest} {offer.fingerprint.hex()} {sections}"


def check_restart(before: str, offer: Offer) -> None:
    """Raises ``BadOffer`` if more than ICE credentials has changed since the first offer."""
    now = lasting(offer)
    if now == before:
        return
    if now.split(" ")[:2] != before.split(" ")[:2]:
        raise BadOffer("an ICE restart cannot change the certificate's fingerprint")
    raise BadOffer("an ICE restart cannot change the media sections")


def restarted(answer: str, ufrag: str, password: str) -> str:
    """The answer again, with new credentials and the next version (RFC 8829, section 5.3.1)."""
    text = _VERSION.sub(lambda found: f"{found[1]}{int(found[2]) + 1}", answer, count=1)
    text = _UFRAG.sub(f"a=ice-ufrag:{ufrag}", text)
    return _PASSWORD.sub(f"a=ice-pwd:{password}", text)
