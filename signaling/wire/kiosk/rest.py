"""What a device asks by REST before it has a line, and what it is answered.

A refusal is ``{"code", "text", "field"}`` with a status: 400 what is malformed, 401 ``bad-signature``,
``replayed``, ``bad-token``, ``expired``; 403 ``quarantined``, ``retired``; 404 ``unknown-enrolment`` (ask
anew), ``unknown-device``; 429 ``too-many`` (with ``Retry-After``); 503 ``busy``, ``not-stored``,
``in-doubt`` (try again).

``POST /api/kiosk/enrolments``           AskEnrolment      → Enrolled (201)
``POST /api/kiosk/enrolments/{id}/look`` ProveEnrolment    → EnrolmentNews
``POST /api/kiosk/tokens/challenge``     —                 → TokenChallenge
``POST /api/kiosk/tokens``               AskToken          → TokenGiven
``GET  /api/kiosk/line-check``           a mebibyte that means nothing; bearer token
``PUT  /api/kiosk/evidence/{id}``        bytes             → 204
``GET  /api/kiosk/targets/{path}``       signed metadata and bundles, with ranges; bearer token
"""

from typing import Annotated

from msgspec import Meta, Struct

from kiosk_hub.fleet.ids import DeviceId, EnrolmentId
from kiosk_hub.fleet.news import Signature
from kiosk_hub.fleet.orders import DeviceSettings
from kiosk_hub.fleet.values import DeviceKind, EnrolmentState

PublicKey = Annotated[str, Meta(min_length=43, max_length=43, pattern=r"^[A-Za-z0-9_-]*$")]
"""Raw Ed25519, 32 bytes in base64url without padding."""


class AskEnrolment(Struct, frozen=True):
    """Let me in. Signed by the new key over ``proofs.enrolment_text``."""

    public_key: PublicKey
    kind: DeviceKind
    hardware: Annotated[
        str, Meta(max_length=200, pattern=r"^[^\n]*$")
    ]  # model and serial, for staff to recognise it
    agent: Annotated[str, Meta(max_length=64)]
    at: Annotated[float, Meta(ge=0, le=1e11)]  # its clock, UTC; a wrong one is no reason to refuse
    salt: Annotated[str, Meta(min_length=16, max_length=64, pattern=r"^[A-Za-z0-9_-]*$")]
    signature: Signature


class Enrolled(Struct, frozen=True):
    """Show this. ``time`` is the city's clock. A pre-authorised device is told ``bound`` at once."""

    enrolment: EnrolmentId
    state: EnrolmentState
    code: str  # six characters without look-alikes; empty when it is bound already
    url: str  # for the QR: the page where staff bind it, the code in its fragment
    expires_at: float
    look_every_s: float
    time: float


class ProveEnrolment(Struct, frozen=True):
    """How is it? Signed over ``proofs.look_text``; ``counter`` grows with every look."""

    counter: Annotated[int, Meta(ge=0, le=2**53)]
    signature: Signature


class EnrolmentNews(Struct, frozen=True):
    """``collected`` comes with the device's name in the fleet; only now is there a credential.

    ``counter`` is the last one the city has heard in a hello of this device: one that has lost its state
    and found itself by its key goes on above it, or it would look like a copy of itself.
    """

    state: EnrolmentState
    time: float
    device: DeviceId | None = None
    settings: DeviceSettings | None = None
    counter: int = 0
    text: str = ""  # why it was refused, as staff wrote it


class TokenChallenge(Struct, frozen=True):
    """Sign this nonce; it is good once, for a minute."""

    nonce: str
    time: float


class AskToken(Struct, frozen=True):
    """Signed over ``proofs.token_text``."""

    device: DeviceId
    nonce: Annotated[str, Meta(max_length=64)]
    signature: Signature


class TokenGiven(Struct, frozen=True):
    token: str
    token_ends_at: float
    time: float
