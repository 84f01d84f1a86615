"""The sessions of encoders and players: how they begin, what may be asked of them, how each ends.

An encoder is its site's device: it joins the meeting as a page does, so roll call, floor and modes hold for
it. A player is nobody's device: it counts nowhere and sends nothing. Whatever ends (the client, its media,
its link, its meeting, the server), the session ends with it.
"""

import time
from typing import Final

from room_manager.errors import DomainError, Ended, InDoubt, Limit, Locked, NotAllowed, UnknownSite
from room_manager.ids import RoomId
from room_manager.meeting import commands
from room_manager.meeting.member import Member
from room_manager.meeting.values import Device, LinkKind, Role
from signaling.auth import TooMany
from signaling.edge import Edge
from signaling.rooms import Served
from signaling.tokens import Identity, LinkClaims
from signaling.whip import fragments, offers
from signaling.whip.listening import Listening
from signaling.whip.refusals import AlreadySending, NoToken, UnknownSession
from signaling.whip.session import WhipSession

MAX_SESSIONS: Final = 2_000
MAX_OF_AN_ADDRESS: Final = 20


class Begun:
    """A fresh session and what to answer."""

    def __init__(self, session: WhipSession, answer: str) -> None:
        self.session = session
        self.answer = answer


class Whip:
    """All sessions of one server."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._sessions: dict[str, WhipSession] = {}
        self._listening: dict[RoomId, Listening] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def sessions(self) -> list[WhipSession]:
        """Those that live, the oldest first."""
        return list(self._sessions.values())

    # --- who asks ---

    def claims(self, kind: LinkKind, token: str, address: str) -> LinkClaims:
        """Raises ``NoToken``, ``TooMany``, ``BadToken``, ``Expired``, ``TooEarly`` or ``NotAllowed``."""
        if not token:
            raise NoToken("show the token that was made for you: Authorization: Bearer …")
        edge = self._edge
        # A signature costs us more to check than them to invent.
        if not edge.lobby.is_known(address) and not edge.ticket_rate.take(address, edge.monotonic()):
            raise TooMany("too many from your address; wait a moment", 2)
        claims = self._edge.link_signer.check(token, time.time())
        if claims.kind is not kind:
            raise NotAllowed("this token opens another door: encoders ask at /whip, players at /whep")
        return claims

    async def identity(self, kind: LinkKind, token: str, address: str) -> Identity:
        """Who may begin a session with this token. Raises as :meth:`claims`, or ``Revoked``."""
        claims = self.claims(kind, token, address)
        sends = kind is LinkKind.WHIP
        who = Identity(
            meeting=claims.meeting,
            role=claims.role,
            site=claims.site if sends else None,
            device=(claims.device or Device.PRIMARY) if sends else None,
            name=claims.site or claims.role.value,
            link=claims.id,
            until=claims.exp,
        )
        await self._edge.standing.check(who)
        return who

    def find(self, kind: LinkKind, session_id: str, token: str, address: str) -> WhipSession:
        """The session of this URL, for the token it was begun with.

        Raises as :meth:`claims`, ``UnknownSession``, or ``NotAllowed`` for another good token.
        """
        if not token:
            raise NoToken("show the token that the session was begun with")
        session = self._sessions.get(session_id)
        if session is None or session.kind is not kind:
            raise UnknownSession("there is no such session, or it has ended: begin another")
        if not session.shown_by(token):
            self.claims(kind, token, address)
            raise NotAllowed("this session was begun with another token")
        return session

    # --- beginning ---

    async def begin(self, kind: LinkKind, token: str, address: str, offer: str) -> Begun:
        """Answer an offer. Of what is refused, nothing is left: no join, no connection."""
        who = await self.identity(kind, token, address)
        self._limit(who, address)
        sends = offers.published(offer) if kind is LinkKind.WHIP else None
        if sends is None:
            offer = offers.watched(offer)
        served = await self._edge.rooms.served(who.meeting)
        self._check_open(served, who)
        member = Member(who.role, who.site, who.name)
        session = WhipSession(kind, who, member, address, token, offer, self._over, self._edge.monotonic())
        if sends is not None:
            self._make_way(served, session)
        self._keep(session, served)
        try:
            answer = await self._admit(session, offer)
        except BaseException:
            self._over(session, "refused", drops=False)
            raise
        if session.over:  # its link was revoked, say, while the join was under way
            self._drop(session)
            raise UnknownSession("the session ended while it began: begin another")
        if sends is not None and not self._stands(served, session):  # two began at once; the other came last
            self._over(session, "superseded", drops=False)
            raise AlreadySending("another device has come in this one's place")
        if sends is not None and who.site is not None:
            served.fanout.presence.set_device(who.site, sends.audio, sends.video)
        session.wait_for_media()
        self._edge.metrics.joins.labels(kind.value).inc()
        return Begun(session, answer)

    async def _admit(self, session: WhipSession, offer: str) -> str:
        """First the engine's answer, then the join: only who can be carried comes into the meeting."""
        manager, who = self._edge.rooms.manager, session.who
        site = session.member.own_site()
        answer = await manager.offer(who.meeting, session.connection, site, offer, joins=True)
        offers.check_whole(answer.sdp)
        if site is not None:
            assert who.device is not None
            try:
                join = commands.Join(site, who.device, session.connection)
                await manager.submit(who.meeting, join, session.member)
            except BaseException as error:
                if not isinstance(error, DomainError) or isinstance(error, InDoubt):
                    manager.gone(who.meeting, site, session.connection)
                raise
            session.joined = True
        return answer.sdp

    def _stands(self, served: Served, session: WhipSession) -> bool:
        """Is it its site's device, as everybody knows by now?"""
        site = session.member.own_site()
        known = served.fanout.told.sites.get(site) if site is not None else None
        return known is not None and session.connection in known.devices.values()

    def _limit(self, who: Identity, address: str) -> None:
        """Raises ``TooMany`` or ``Limit``."""
        edge = self._edge
        now = edge.monotonic()
        if not edge.hellos.take(f"{who.credential} {who.device}", now):
            raise TooMany("you begin sessions too often; wait a moment", 2)
        if len(self._sessions) >= MAX_SESSIONS:
            raise Limit(f"more than {MAX_SESSIONS} encoders and players")
        of_address = sum(session.address == address for session in self._sessions.values())
        if of_address >= MAX_OF_AN_ADDRESS and not edge.lobby.is_known(address):
            raise TooMany("too many encoders and players at your address", 30)

    def _check_open(self, served: Served, who: Identity) -> None:
        told = served.fanout.told
        if told.ended:
            raise Ended("the meeting is over")
        if who.site is not None and who.site not in told.sites:
            raise UnknownSite("this site is not on the meeting's roster")
        if told.locked and who.role is Role.OBSERVER:
            raise Locked("the meeting is locked")

    def _make_way(self, served: Served, session: WhipSession) -> None:
        """An encoder takes its own older session's place, as after a crash, and nobody else's.

        A person at a page may take the place of an encoder: that is a decision. An encoder that retries by
        itself must not take it back, and two encoders must not push each other out for ever. Raises
        ``AlreadySending``.
        """
        who = session.who
        assert who.site is not None
        assert who.device is not None
        standing = served.fanout.told.sites[who.site].devices.get(who.device)
        mine = next((one for one in self._sessions.values() if one.connection == standing), None)
        if mine is not None and mine.who.link == who.link:
            return
        if mine is not None or any(one.connection == standing for one in served.fanout.receivers()):
            raise AlreadySending(f"another device is this site's {who.device.value} device")

    def _keep(self, session: WhipSession, served: Served) -> None:
        room = session.who.meeting
        listening = self._listening.get(room)
        if listening is None:
            listening = self._listening[room] = Listening(
                room, self._edge.rooms.manager, served.fanout, self._over
            )
        listening.add(session)
        self._sessions[session.id] = session
        self._edge.add(session)

    # --- while it lasts ---

    async def patch(self, session: WhipSession, if_match: str | None, text: str) -> str | None:
        """Candidates: None. An ICE restart: our new end, as a fragment.

        Raises ``NoPrecondition``, ``StaleSession``, ``BadFragment``, ``TooMany``, and what a restart raises;
        the session goes on as it was (RFC 9725, section 4.3.3).
        """
        if not session.patches.take(self._edge.monotonic()):
            raise TooMany("too many changes; wait a moment", 1)
        session.check_match(if_match)
        fragment = fragments.read(text)
        if not fragments.restarts(fragment, session.offer):
            return None
        async with session.restarting:
            session.check_match(if_match)  # another restart may have been first
            offer = fragments.renewed(session.offer, fragment)
            answer = await self._edge.rooms.manager.restart(session.connection, offer)
            session.restarted(offer)
        return fragments.of_answer(answer.sdp)

    # --- ending ---

    async def end(self, session: WhipSession) -> None:
        """The client says that it goes: its site has left, on purpose."""
        site = session.member.own_site()
        drops = False
        if session.joined and site is not None:
            leave = commands.Leave(site, session.connection)
            try:
                await self._edge.rooms.manager.submit(session.who.meeting, leave, session.member)
            except DomainError:
                drops = True  # as if its line had been cut: that is tried until it is stored
        self._over(session, "left", drops=drops)

    def _over(self, session: WhipSession, code: str, *, drops: bool) -> None:
        """Nothing of it is left. Never raises, never waits; again is fine."""
        if session.over:
            return
        session.close()
        edge, room = self._edge, session.who.meeting
        self._sessions.pop(session.id, None)
        edge.remove(session)
        listening = self._listening.get(room)
        if listening is not None:
            listening.remove(session)
            if not listening.sessions:
                listening.close()
                del self._listening[room]
        edge.rooms.manager.media_left(session.connection)
        if drops and session.joined:
            self._drop(session)

    def _drop(self, session: WhipSession) -> None:
        """Its site is away, unless another device stands for it."""
        site = session.member.own_site()
        if site is not None and not self._edge.draining:
            self._edge.rooms.manager.gone(session.who.meeting, site, session.connection)

    def close(self) -> None:
        """The server ends: every session with it."""
        for session in list(self._sessions.values()):
            self._over(session, "shutting-down", drops=False)
