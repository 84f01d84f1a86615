"""A member in a meeting over one socket: how it comes in, what its requests come to, how it goes."""

import time
from typing import Final

from room_manager.errors import (
    Busy,
    DomainError,
    Ended,
    InDoubt,
    Locked,
    NotAllowed,
    NotOwner,
    NotStored,
    WrongState,
)
from room_manager.ids import ConnectionId
from room_manager.meeting import commands
from room_manager.meeting.member import Member
from room_manager.meeting.values import Device, Role
from signaling import rights, translate
from signaling.edge import Edge
from signaling.fanout import Fanout
from signaling.frames import text_frame
from signaling.outbox import Outbox
from signaling.receiver import Dismiss, Receiver
from signaling.seat_media import SeatMedia
from signaling.session import Session
from signaling.tokens import RESUME_LASTS_S, Identity, ResumeClaims
from signaling.wire import client, codec, server
from signaling.wire.codec import Refused

FEATURES: Final = ("resume", "presence", "media", "content", "wall", "restart-ice")
STILLS: Final = "stills"
"""Small pictures of sites are taken here; see :mod:`signaling.stills`."""

PASSING: Final = (Busy, NotStored, InDoubt, NotOwner)
"""Not done, and may be done when asked again: never kept as the answer to a rid."""

_STAYS_AS_IT_IS: Final = frozenset({"superseded", "ended", "shutting-down", "moved"})
"""Ways to go after which no drop is owed: the room knows, or the site keeps its place over a restart."""


async def come_in(
    edge: Edge, hello: client.Hello, connection: ConnectionId, outbox: Outbox, dismiss: Dismiss
) -> "Seat":
    """Let in whoever shows a good ticket or resume token. Raises the refusal.

    Once this returns the client has been told welcome and its snapshot, and hears everything.
    """
    now = time.time()
    session = _session(edge, hello, now)
    who = session.who
    await edge.standing.check(who)
    fanout = await edge.rooms.fanout(who.meeting)
    if fanout.told.ended:
        raise Ended("the meeting is over")
    if fanout.told.locked and who.role is Role.OBSERVER and hello.resume is None:
        # Whether a site may come in, its join decides; who organises the meeting always may.
        raise Locked("the meeting is locked: only who was in it may come back")

    member = Member(who.role, who.site, who.name)
    stands = member.own_site() is not None
    device = (who.device or Device.PRIMARY) if stands else None
    seat = Seat(edge, session, fanout, Receiver(connection, member, device, outbox, dismiss))
    await seat.join()

    # Nothing is awaited from here on, so nobody hears half of it.
    seat.sit(hello, now)
    edge.metrics.joins.labels("resume" if hello.resume else "ticket").inc()
    return seat


def _session(edge: Edge, hello: client.Hello, now: float) -> Session:
    if hello.ticket is not None:
        who = edge.tickets.redeem(hello.ticket)
        if who.site is not None:
            _limit_hellos(edge, f"{who.credential} {who.device}")
        return edge.sessions.begin(who)
    if hello.resume is not None:
        claims = edge.resume_signer.check(hello.resume, now)
        _limit_hellos(edge, claims.session)
        return edge.sessions.resume(claims.session, claims.who)
    raise Refused("bad-field", "hello needs a ticket or a resume token", hello.rid)


def _limit_hellos(edge: Edge, key: str) -> None:
    """Each that stands for a site is an event for everybody. Raises ``Busy``."""
    if not edge.hellos.take(key, edge.monotonic()):
        raise Busy("you come in too often; wait a moment")


class Seat:
    """One member's place, as long as its socket lives."""

    def __init__(self, edge: Edge, session: Session, fanout: Fanout, receiver: Receiver) -> None:
        self._edge = edge
        self._session = session
        self._fanout = fanout
        self._receiver = receiver
        self._media = SeatMedia(edge.rooms.manager, session.who.meeting, receiver)
        self._owes_drop = False

    @property
    def who(self) -> Identity:
        return self._session.who

    # --- coming in ---

    async def join(self) -> None:
        """The socket stands for its site, if the member is in one. Raises what the rules refuse."""
        site, device = self._receiver.member_site, self._receiver.device
        if site is None or device is None:
            return
        self._owes_drop = True
        try:
            await self._submit(commands.Join(site, device, self._receiver.connection))
        except BaseException as error:
            # What is in doubt may have happened.
            self._owes_drop = not isinstance(error, DomainError) or isinstance(error, InDoubt)
            await self.go()
            raise

    def sit(self, hello: client.Hello, now: float) -> None:
        """Take the place of the session's older socket, say welcome, and hear everything."""
        if self._session.replace is not None:
            self._session.replace()
        self._session.replace = self._replaced
        fanout, receiver, who = self._fanout, self._receiver, self.who
        site = receiver.member_site
        token = self._edge.resume_signer.sign(ResumeClaims(self._session.id, who, now + RESUME_LASTS_S))
        welcome = server.Welcome(
            rid=hello.rid,
            features=(*FEATURES, STILLS) if self._edge.settings.stills_every_s else FEATURES,
            epoch=fanout.epoch,
            seq=fanout.seq,
            resumed=fanout.resumes(hello.have, hello.epoch),
            resume=token,
            meeting=who.meeting,
            you=server.You(
                role=who.role,
                name=who.name,
                site=fanout.names(site) if site is not None else None,
                device=receiver.device,
                may=rights.may(who.role),
            ),
            server_time=self._room_time(),
            ice_servers=self._edge.ice_servers(receiver.connection),
        )
        fanout.attach(receiver, text_frame(codec.encode(welcome)), hello.have, hello.epoch)

    # --- requests ---

    async def answer(self, message: client.ClientMessage) -> server.ServerMessage:
        """What the client is told. Raises the refusal."""
        fanout, receiver = self._fanout, self._receiver
        if type(message) in rights.REQUESTS:
            rights.check(receiver.member.role, message)
        match message:
            case client.Ping():
                return server.Pong(rid=message.rid, server_time=self._room_time())
            case client.Hello():
                raise WrongState("hello was said already")
            case client.Offer():
                return await self._media.offer(message)
            case client.RestartIce():
                return await self._media.restart(message)
            case client.WatchWall():
                await self._media.watch(message.sites)
                return server.Done(rid=message.rid, seq=fanout.seq)
            case client.CloseWall():
                self._media.close_wall()
                return server.Done(rid=message.rid, seq=fanout.seq)
            case client.WatchPresence():
                if message.on:
                    fanout.presence.watch(receiver)
                else:
                    fanout.presence.unwatch(receiver)
                return server.Done(rid=message.rid, seq=fanout.seq)
            case client.DeviceState():
                if receiver.member_site is None:
                    raise NotAllowed("you stand for no site")
                fanout.presence.set_device(receiver.member_site, message.microphone, message.camera)
                return server.Done(rid=message.rid, seq=fanout.seq)
            case client.Leave():
                # Never from memory: leaving twice is leaving, but this may be another socket, come in since.
                return await self._leave(message.rid)
            case _:
                return await self._session.once(message.rid, lambda: self._command(message))

    async def _command(self, message: client.ClientMessage) -> server.ServerMessage:
        """Done, or a refusal that would be the same if asked again."""
        try:
            seq = await self._submit(translate.command_for(message, self._receiver.member))
        except PASSING:
            raise
        except DomainError as error:
            self._edge.metrics.refused.labels(error.code).inc()
            return translate.problem_for(error, message.rid)
        return server.Done(rid=message.rid, seq=seq)

    async def _leave(self, rid: int) -> server.ServerMessage:
        site, seq = self._receiver.member_site, self._fanout.seq
        if site is not None:
            seq = await self._submit(commands.Leave(site, self._receiver.connection))
        self._owes_drop = False
        return server.Done(rid=rid, seq=seq)

    def _room_time(self) -> float:
        """On the clock that all ends in this room are on, so that a client can say how long is left."""
        return self._edge.rooms.manager.now(self.who.meeting)

    async def _submit(self, command: commands.AnyCommand) -> int:
        return await self._edge.rooms.manager.submit(self.who.meeting, command, self._receiver.member)

    # --- going ---

    def dismissed(self, code: str) -> None:
        """It hears nothing more; the reason decides whether its site is away by that."""
        if code in _STAYS_AS_IT_IS:
            self._owes_drop = False
        self._fanout.detach(self._receiver)

    async def go(self) -> None:
        """The socket is gone: the site is away, unless another socket stands for it. Never raises."""
        self._fanout.detach(self._receiver)
        if self._session.replace == self._replaced:
            self._session.replace = None
        self._media.close()
        site = self._receiver.member_site
        if not self._owes_drop or site is None or self._edge.draining:
            return
        self._edge.rooms.manager.gone(self.who.meeting, site, self._receiver.connection)

    def _replaced(self) -> None:
        self._receiver.dismiss("disconnect", 0, "superseded", "this place was taken from another window")
