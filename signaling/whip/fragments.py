"""SDP fragments (RFC 8840) in which clients trickle candidates and restart ICE. Pure.

Candidates are read as far as to bound them, and left aside: a lite agent sends no checks (RFC 8445, section
2.5), so nothing is ever sent to an address that a client names.
"""

import re
from typing import Final

from msgspec import Struct

from signaling.whip.refusals import BadFragment

MEDIA_TYPE: Final = "application/trickle-ice-sdpfrag"
MAX_FRAGMENT_CHARS: Final = 16_384
MAX_CANDIDATES: Final = 64
MAX_LINE_CHARS: Final = 512

_UFRAG: Final = re.compile(r"[A-Za-z0-9+/\-_=]{4,256}\Z")  # RFC 8839, section 5.4, and what some add
_PASSWORD: Final = re.compile(r"[A-Za-z0-9+/\-_=]{22,256}\Z")
_LINE: Final = re.compile(r"[a-z]=[ -~]*\Z")


class Fragment(Struct, frozen=True):
    """What a client says of its end. Without credentials: candidates of the ICE session that is."""

    ufrag: str
    password: str
    candidates: int


def read(text: str) -> Fragment:
    """Raises ``BadFragment``."""
    if len(text) > MAX_FRAGMENT_CHARS:
        raise BadFragment(f"an SDP fragment has at most {MAX_FRAGMENT_CHARS} bytes")
    ufrags: set[str] = set()
    passwords: set[str] = set()
    candidates = 0
    lines = [line for line in text.replace("\r\n", "\n").split("\n") if line]
    for line in lines:
        if len(line) > MAX_LINE_CHARS or not _LINE.match(line):
            raise BadFragment("a line of the SDP fragment is malformed")
        name, _, value = line[2:].partition(":")
        match (line[0], name):
            case ("a", "ice-ufrag"):
                ufrags.add(value)
            case ("a", "ice-pwd"):
                passwords.add(value)
            case ("a", "candidate"):
                candidates += 1
            case ("a" | "m", _):
                pass
            case _:
                raise BadFragment("an SDP fragment has attributes and media lines, nothing else")
    if candidates > MAX_CANDIDATES:
        raise BadFragment(f"more than {MAX_CANDIDATES} candidates")
    if not lines:
        raise BadFragment("the SDP fragment is empty")
    return Fragment(_one(ufrags, _UFRAG, "ice-ufrag"), _one(passwords, _PASSWORD, "ice-pwd"), candidates)


def restarts(fragment: Fragment, offer: str) -> bool:
    """Other credentials than the session's: an ICE restart (RFC 9725, section 4.3.3).

    Raises ``BadFragment`` if only one of the two is there.
    """
    if not fragment.ufrag and not fragment.password:
        return False
    if not fragment.ufrag or not fragment.password:
        raise BadFragment("ice-ufrag and ice-pwd come together")
    return f"a=ice-ufrag:{fragment.ufrag}" not in _lines(offer)


def renewed(offer: str, fragment: Fragment) -> str:
    """The offer as it would have been with the fragment's credentials. Nothing else of it changes."""
    told = []
    for line in _lines(offer):
        if line.startswith("a=ice-ufrag:"):
            told.append(f"a=ice-ufrag:{fragment.ufrag}")
        elif line.startswith("a=ice-pwd:"):
            told.append(f"a=ice-pwd:{fragment.password}")
        elif not line.startswith(("a=candidate:", "a=end-of-candidates")):
            told.append(line)
    return "\r\n".join(told) + "\r\n"


def of_answer(answer: str) -> str:
    """Our end after a restart: credentials and candidates of the section that carries the bundle."""
    lines = _lines(answer)
    told = [line for line in lines if line in ("a=ice-lite",) or line.startswith("a=group:BUNDLE")]
    section: list[str] = []
    for line in lines:
        if line.startswith("m="):
            if _carries(section):
                break
            section = [line]
        elif section and line.startswith(
            ("a=mid:", "a=ice-ufrag:", "a=ice-pwd:", "a=candidate:", "a=end-of-candidates")
        ):
            section.append(line)
    return "\r\n".join(told + section) + "\r\n"


def _carries(section: list[str]) -> bool:
    return any(line.startswith("a=ice-ufrag:") for line in section)


def _one(values: set[str], form: re.Pattern[str], name: str) -> str:
    """The only value, or nothing."""
    if len(values) > 1:
        raise BadFragment(f"two values of {name}: all media share one transport")
    value = next(iter(values), "")
    if value and not form.match(value):
        raise BadFragment(f"{name} is malformed")
    return value


def _lines(description: str) -> list[str]:
    return description.replace("\r\n", "\n").rstrip("\n").split("\n")
