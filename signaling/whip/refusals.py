"""Why an encoder or a player is refused, and with which status. Pure."""

from collections.abc import Mapping
from typing import ClassVar, Final

from room_manager.errors import DomainError


class NoToken(DomainError):
    """Nothing says who asks (RFC 6750, section 3: then no error is named either)."""

    code: ClassVar[str] = "no-token"


class WrongType(DomainError):
    """The body is of another media type."""

    code: ClassVar[str] = "wrong-type"


class BadFragment(DomainError):
    """The SDP fragment is malformed or too large (RFC 8840, section 9)."""

    code: ClassVar[str] = "bad-fragment"


class Unprocessable(DomainError):
    """Well formed, but not what this protocol carries."""

    code: ClassVar[str] = "unprocessable"


class NotAcceptable(DomainError):
    """Some section could not be carried, so none is: half a session would mislead whoever watches it."""

    code: ClassVar[str] = "not-acceptable"


class AlreadySending(DomainError):
    """Another device has this place of the site."""

    code: ClassVar[str] = "already-sending"


class UnknownSession(DomainError):
    """It has ended, or never was."""

    code: ClassVar[str] = "unknown-session"


class NoPrecondition(DomainError):
    """``If-Match`` is missing (RFC 6585, section 3)."""

    code: ClassVar[str] = "precondition-required"


class StaleSession(DomainError):
    """``If-Match`` names an ICE session that is gone (RFC 9110, section 13.1.1)."""

    code: ClassVar[str] = "precondition-failed"


STATUS: Final[Mapping[str, int]] = {
    "no-token": 401,
    "wrong-type": 415,
    "bad-fragment": 400,
    "bad-offer": 400,
    "no-common-codec": 406,
    "unprocessable": 422,
    "not-acceptable": 406,
    "already-sending": 409,
    "unknown-session": 404,
    "not-joined": 404,
    "precondition-required": 428,
    "precondition-failed": 412,
    "engine-away": 503,
}
"""What is not here has the status that REST gives it."""

RETRY_AFTER_S: Final[Mapping[int, int]] = {409: 10, 503: 2}
"""How long to wait when the refusal itself does not say."""
