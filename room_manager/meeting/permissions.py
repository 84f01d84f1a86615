"""Who may ask what: one table, and nothing is allowed that is not in it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from room_manager.errors import NotAllowed
from room_manager.ids import HOST
from room_manager.meeting import commands as c
from room_manager.meeting.member import Member
from room_manager.meeting.values import Role, kebab


class Scope(StrEnum):
    """For which sites a role may give a command."""

    NONE = "none"
    OWN = "own"  # the member's own site
    HOST = "host"  # the host site, without being in it
    ANY = "any"  # every site, and commands that name none


_NONE, _OWN, _HOST, _ANY = Scope.NONE, Scope.OWN, Scope.HOST, Scope.ANY

ROLES: Final = (Role.CHAIR, Role.SECRETARY, Role.OPERATOR, Role.SITE, Role.OBSERVER)

# fmt: off
_ROWS: Final[tuple[tuple[type[c.AnyCommand], Scope, Scope, Scope, Scope, Scope], ...]] = (
    #                   chair  secretary operator site   observer
    (c.Join,            _OWN,  _NONE,    _NONE,   _OWN,  _NONE),
    (c.Drop,            _OWN,  _NONE,    _NONE,   _OWN,  _NONE),
    (c.Leave,           _OWN,  _NONE,    _NONE,   _OWN,  _NONE),
    (c.ExcuseAbsence,   _ANY,  _ANY,     _ANY,    _NONE, _NONE),
    (c.WithdrawExcuse,  _ANY,  _ANY,     _ANY,    _NONE, _NONE),
    (c.CountPeople,     _ANY,  _ANY,     _ANY,    _OWN,  _NONE),
    (c.RaiseHand,       _ANY,  _ANY,     _ANY,    _OWN,  _NONE),
    (c.LowerHand,       _ANY,  _ANY,     _ANY,    _OWN,  _NONE),
    (c.ClearHands,      _ANY,  _ANY,     _ANY,    _NONE, _NONE),
    (c.GiveFloor,       _ANY,  _NONE,    _ANY,    _NONE, _NONE),
    (c.NextSpeaker,     _ANY,  _NONE,    _ANY,    _NONE, _NONE),
    (c.TakeFloor,       _ANY,  _NONE,    _ANY,    _NONE, _NONE),
    (c.YieldFloor,      _NONE, _NONE,    _NONE,   _OWN,  _NONE),
    (c.SetMode,         _ANY,  _NONE,    _ANY,    _NONE, _NONE),
    (c.MuteAll,         _ANY,  _NONE,    _ANY,    _NONE, _NONE),
    (c.UnmuteAll,       _ANY,  _NONE,    _ANY,    _NONE, _NONE),
    (c.MuteSite,        _ANY,  _NONE,    _ANY,    _NONE, _NONE),
    (c.UnmuteSite,      _ANY,  _NONE,    _ANY,    _NONE, _NONE),
    (c.SetStage,        _ANY,  _NONE,    _ANY,    _NONE, _NONE),
    (c.ShareContent,    _OWN,  _NONE,    _HOST,   _OWN,  _NONE),
    (c.StopContent,     _ANY,  _NONE,    _ANY,    _OWN,  _NONE),
    (c.StartRecording,  _ANY,  _ANY,     _NONE,   _NONE, _NONE),
    (c.StopRecording,   _ANY,  _ANY,     _NONE,   _NONE, _NONE),
    (c.FailRecording,   _ANY,  _NONE,    _NONE,   _NONE, _NONE),
    (c.LockMeeting,     _ANY,  _NONE,    _ANY,    _NONE, _NONE),
    (c.UnlockMeeting,   _ANY,  _NONE,    _ANY,    _NONE, _NONE),
    (c.EndMeeting,      _ANY,  _NONE,    _NONE,   _NONE, _NONE),
)
# fmt: on

TABLE: Final[Mapping[type[c.AnyCommand], Mapping[Role, Scope]]] = {
    command: dict(zip(ROLES, scopes, strict=True)) for command, *scopes in _ROWS
}

_BY_THE_SERVER: Final = frozenset({c.Join, c.Drop, c.Leave, c.FailRecording})


def scope(role: Role, command: type[c.AnyCommand]) -> Scope:
    """For which sites this role may give this command; what is not in the table is for nobody."""
    return TABLE.get(command, {}).get(role, Scope.NONE)


def check(command: c.AnyCommand, by: Member) -> None:
    """Raise ``NotAllowed`` unless the table lets this member give this command for this site."""
    kind = type(command)
    granted = scope(by.role, kind)
    if granted is Scope.ANY:
        return
    if granted is Scope.NONE:
        raise NotAllowed(f"{kebab(kind.__name__)} is not for the role {by.role}")
    named = getattr(command, "site", None)
    if granted is Scope.HOST and named != HOST:
        raise NotAllowed(f"the role {by.role} may ask for {kebab(kind.__name__)} only for the host site")
    if granted is Scope.OWN and (named is None or named != by.own_site()):
        raise NotAllowed(f"the role {by.role} may ask for {kebab(kind.__name__)} only for its own site")


def _pages(role: Role) -> tuple[str, ...]:
    return tuple(
        kebab(command.__name__)
        for command, scopes in TABLE.items()
        if scopes[role] is not Scope.NONE and command not in _BY_THE_SERVER
    )


_MAY: Final[Mapping[Role, tuple[str, ...]]] = {role: _pages(role) for role in ROLES}


def may(role: Role) -> tuple[str, ...]:
    """The commands a page may offer this role, by their names on the wire.

    What only the server asks is not among them: joining, dropping and leaving for a connection, and
    the failure of a recording.
    """
    return _MAY[role]
