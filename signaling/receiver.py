"""One live client of a room as the fan-out sees it."""

from typing import Literal, Protocol

from room_manager.ids import ConnectionId, SiteId
from room_manager.meeting.member import Member
from room_manager.meeting.values import Device
from signaling.outbox import Outbox

LeaveAction = Literal["disconnect", "resume", "reconnect"]


class Dismiss(Protocol):
    """Say ``leave`` and close."""

    def __call__(self, action: LeaveAction, retry_after_ms: int, code: str, text: str) -> None: ...


class Receiver:
    """Who it is, and where what it is told goes."""

    __slots__ = ("connection", "device", "dismiss", "member", "microphone", "outbox")

    def __init__(
        self,
        connection: ConnectionId,
        member: Member,
        device: Device | None,
        outbox: Outbox,
        dismiss: Dismiss,
    ) -> None:
        self.connection = connection
        self.member = member
        self.device = device
        self.outbox = outbox
        self.dismiss = dismiss
        self.microphone: tuple[bool, bool, bool] | None = None

    @property
    def member_site(self) -> SiteId | None:
        """The site it stands for, if it stands for one."""
        return self.member.own_site()
