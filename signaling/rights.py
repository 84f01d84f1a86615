"""Who may ask what beside the commands of a meeting: one table, and nothing is allowed that is not in it."""

from collections.abc import Mapping
from typing import Final

from room_manager.errors import NotAllowed
from room_manager.meeting import permissions
from room_manager.meeting.values import Role, kebab
from signaling.wire import client

OFFICIALS: Final = frozenset({Role.CHAIR, Role.SECRETARY, Role.OPERATOR})
"""City hall: hears of acts, may watch presence and the wall."""

STANDING: Final = frozenset({Role.CHAIR, Role.SITE})
"""Those who stand for a site."""

EVERYBODY: Final = frozenset(Role)

REQUESTS: Final[Mapping[type[client.ClientMessage], frozenset[Role]]] = {
    client.Ping: EVERYBODY,
    client.Offer: EVERYBODY,  # for a wall: as WatchWall
    client.RestartIce: EVERYBODY,
    client.Leave: EVERYBODY,
    client.DeviceState: STANDING,
    client.WatchPresence: OFFICIALS,
    client.WatchWall: OFFICIALS,
    client.CloseWall: OFFICIALS,
}

_TOLD: Final = (client.WatchPresence, client.WatchWall)
"""What a page needs to know of it, beside the commands."""


def may_ask(role: Role, request: type[client.ClientMessage]) -> bool:
    return role in REQUESTS.get(request, frozenset())


def check(role: Role, message: client.ClientMessage) -> None:
    """Raise ``NotAllowed`` unless the table lets this role ask this."""
    kind = type(message)
    if isinstance(message, client.Offer | client.RestartIce) and message.purpose == "wall":
        kind = client.WatchWall
    if not may_ask(role, kind):
        raise NotAllowed(f"{kebab(kind.__name__)} is not for the role {role}")


def may(role: Role) -> tuple[str, ...]:
    """Everything a page may offer this role, by its name on the wire."""
    return permissions.may(role) + tuple(kebab(kind.__name__) for kind in _TOLD if may_ask(role, kind))
