"""Refusals. Programs look at ``code``, people at the text; a code is never renamed."""

from typing import ClassVar


class DomainError(Exception):
    """A request that the rules refuse. Nothing has changed."""

    code: ClassVar[str] = "refused"


class NotAllowed(DomainError):
    """This role may not do that, whatever the state."""

    code = "not-allowed"


class Stale(DomainError):
    """The command was decided on a state that is gone; look again."""

    code = "stale"


class UnknownSite(DomainError):
    """No such site on this meeting's roster."""

    code = "unknown-site"


class WrongState(DomainError):
    """The rules allow this act, but not now."""

    code = "wrong-state"


class Locked(DomainError):
    """The meeting is locked: only sites that were in it may come back."""

    code = "locked"


class Ended(DomainError):
    """The meeting is over."""

    code = "ended"


class Limit(DomainError):
    """More than this system promises to carry."""

    code = "limit"


class Invalid(DomainError):
    """A value outside what the field may hold."""

    code = "invalid"


class NoRecorder(DomainError):
    """This server records nothing: it was told so, or cannot."""

    code = "no-recorder"


class DiskFull(DomainError):
    """Recording would take the space that the meetings themselves need."""

    code = "disk-full"


class Busy(DomainError):
    """Too much at once; nothing was done, try again shortly."""

    code = "busy"


class NotStored(DomainError):
    """The event could not be made durable, so it has not happened."""

    code = "not-stored"


class NotOwner(DomainError):
    """Another server has taken this room over; this one must not write."""

    code = "not-owner"


class InDoubt(DomainError):
    """It could not be found out in time whether this was stored; look again before repeating it."""

    code = "in-doubt"
