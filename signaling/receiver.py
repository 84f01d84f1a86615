"""One live client of a room as the fan-out sees it."""

from typing import Literal, Protocol

from room_manager.ids import ConnectionId, SiteId
from room_manager.meeting.member import Member
from room_manager.meeting.values import Device
from signaling.outbox import Outbox
from signaling.wire.server import Line

LeaveAction = Literal["disconnect", "resume", "reconnect"]


class Dismiss(Protocol):
    """Say ``leave`` and close."""

    def __call__(self, action: LeaveAction, retry_after_ms: int, code: str, text: str) -> None: ...


class HasLine(Protocol):
    """Whoever stands for a site: a window, or an encoder."""

    line: Line | None  # None: no media
    step_at: float  # since when its step is what it is, seconds, UTC


class Receiver:
    """Who it is, and where what it is told goes."""

    __slots__ = ("connection", "device", "dismiss", "line", "member", "microphone", "outbox", "step_at")

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
        self.line: Line | None = None  # as last told; None: no media
        self.step_at = 0.0  # since when its step is what it is, seconds, UTC

    @property
    def member_site(self) -> SiteId | None:
        """The site it stands for, if it stands for one."""
        return self.member.own_site()
