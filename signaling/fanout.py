"""One room's ears and mouth: hears what has become durable, and tells each client what concerns it.

The state is told in sections. For each, the newest encoded frame is kept with the number of the batch that
changed it last, so a newcomer costs the same whether ten or a thousand are there, and whoever comes back
with ``have`` gets only what changed. Who watches presence gets rows of what changed, a few times a second.

All of it runs on the loop's thread and never waits.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from msgspec import Struct

from room_manager.ids import ConnectionId, SiteId
from room_manager.media import engine
from room_manager.meeting import events as e
from room_manager.meeting.meeting import Meeting as Rules
from room_manager.meeting.microphones import silenced
from room_manager.meeting.state import State
from room_manager.runner import Batch
from signaling import lines, translate
from signaling.frames import text_frame
from signaling.presence import Presence
from signaling.receiver import HasLine, Receiver
from signaling.rights import OFFICIALS
from signaling.wire import codec, server

COUNTS_EVERY_S: Final = 0.25
COUNTS_FRAMES_PER_S: Final = 1_500.0  # in all, so that a join costs the same among many
SPEAKING_EVERY_S: Final = 0.34
GOODBYE_S: Final = 0.1  # whoever ended the meeting first hears that it is done
MEDIA_RAMP_PER_S: Final = 100.0  # offers a second after the engine's restart

_EVERYBODYS_MICROPHONE: Final = (e.MeetingOpened, e.ModeSet, e.AllMuted, e.AllUnmuted, e.MeetingEnded)
_ONE_MICROPHONE: Final = (e.FloorGiven, e.FloorEnded, e.SiteMuted, e.SiteUnmuted)

Microphone = tuple[bool, bool, bool]
"""all_muted, you_may_speak, you_are_muted."""


class _Section(Struct):
    """The newest value of a section, as bytes."""

    message: server.ServerMessage
    frame: bytes
    changed_seq: int


class Fanout:
    """Everybody who hears one room on this server."""

    def __init__(
        self,
        told: State,
        seq: int,
        epoch: int,
        names: translate.Names,
        simulated: Callable[[SiteId], bool],
        observe_latency: Callable[[float], None] = lambda _: None,
        count_events: Callable[[float], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.told = told
        self.seq = seq
        self.epoch = epoch
        self.names = names
        self.presence = Presence(told, simulated, lambda: self.seq, self._active)
        self._clock = clock
        self._observe_latency = observe_latency
        self._count_events = count_events
        self.encoders: dict[ConnectionId, HasLine] = {}  # stand for their sites, and are told nothing
        self._receivers: dict[ConnectionId, Receiver] = {}
        self._by_site: dict[SiteId, list[Receiver]] = {}
        self._sections: dict[str, _Section] = {}
        self._heard = Rules(told).heard()
        self._microphone_frames: dict[Microphone, bytes] = {}
        self._counts_timer: asyncio.TimerHandle | None = None
        self._counts_at = 0.0
        self._speaking_timer: asyncio.TimerHandle | None = None
        self._speaking_at = 0.0
        self._speaking: tuple[SiteId, ...] = ()
        self._ending: asyncio.TimerHandle | None = None
        for name in translate.SECTIONS:
            self._renew(name, seq)

    def __len__(self) -> int:
        return len(self._receivers)

    def receivers(self) -> list[Receiver]:
        return list(self._receivers.values())

    # --- coming and going ---

    def attach(self, receiver: Receiver, welcome: bytes, have: int | None, epoch: int | None) -> None:
        """Say welcome, then what the client needs to know; from now on it hears everything.

        Args:
            receiver: The newcomer.
            welcome: The frame of its welcome, which must come first.
            have: The newest number it has heard, in ``epoch``.
            epoch: Whoever comes from another epoch is told everything.
        """
        after = have if have is not None and self.resumes(have, epoch) else -1
        # Counts are told late and may be older than ``have``; they and one's microphone are always told.
        frames = [welcome] + [
            known.frame
            for name, known in self._sections.items()
            if known.changed_seq > after or name == "counts"
        ]
        receiver.microphone = self._microphone_of(receiver)
        frames.append(self._microphone_frame(receiver.microphone))
        receiver.outbox.send(b"".join(frames))
        self._receivers[receiver.connection] = receiver
        site = receiver.member_site
        if site is not None:
            self._by_site.setdefault(site, []).append(receiver)
            self._supersede_ghosts(receiver)

    def resumes(self, have: int | None, epoch: int | None) -> bool:
        """Can what the client has be brought up to date by what changed since?"""
        return have is not None and epoch == self.epoch and 0 <= have <= self.seq

    def detach(self, receiver: Receiver) -> None:
        """Tell it nothing more. Again is fine."""
        if self._receivers.get(receiver.connection) is not receiver:
            return
        del self._receivers[receiver.connection]
        self.presence.unwatch(receiver)
        site = receiver.member_site
        if site is not None:
            there = self._by_site[site]
            there.remove(receiver)
            if not there:
                del self._by_site[site]
                self.presence.forget_device(site)

    def close(self) -> None:
        """No timer is left."""
        self.presence.close()
        for timer in (self._counts_timer, self._speaking_timer, self._ending):
            if timer is not None:
                timer.cancel()
        self._counts_timer = self._speaking_timer = None

    # --- what the room says ---

    def on_batch(self, batch: Batch) -> None:
        """Something has become durable: tell whom it concerns."""
        self.told = self.presence.told = batch.told
        self.seq = batch.records[-1].seq
        self._tell_sections()
        self._tell_microphones([record.event for record in batch.records])
        self._tell_acts(batch)
        for record in batch.records:
            site = getattr(record.event, "site", None)
            if site is not None:
                self.presence.touch(site)
            elif isinstance(record.event, e.AllMuted | e.AllUnmuted | e.HandsCleared):
                self.presence.touch_all()
            if isinstance(record.event, e.SiteJoined):
                self._supersede(record.event.site, record.event.device, record.event.connection)
        self._observe_latency(max(0.0, time.time() - batch.records[0].at))
        self._count_events(len(batch.records))
        if self.told.ended and self._ending is None:
            self._ending = asyncio.get_running_loop().call_later(GOODBYE_S, self._dismiss_all)

    def _dismiss_all(self) -> None:
        for receiver in self.receivers():
            receiver.dismiss("disconnect", 0, "ended", "the meeting is over")

    def on_media(self, event: engine.EngineEvent) -> None:
        """What the media engine tells of this room's connections."""
        match event:
            case engine.LineQuality() | engine.LineStep() | engine.MediaUp() | engine.MediaDown():
                self._tell_line(event)
            case engine.LayersWanted():
                self._tell_layers(event)
            case engine.Speaking():
                self._speaking = event.sites[:3]
                self._speaking_timer = self._soon(
                    self._speaking_timer, self._speaking_at, SPEAKING_EVERY_S, self._tell_speaking
                )
            case engine.EngineRestarted():
                self._tell_media_lost(self.receivers())
            case engine.ConnectionsLost():
                there = self._receivers
                self._tell_media_lost([there[c] for c in event.connections if c in there])

    def _tell_media_lost(self, receivers: Iterable[Receiver]) -> None:
        """Each is given a place in the ramp on which they offer anew; until then it has no media."""
        for place, receiver in enumerate(receivers):
            if receiver.line is not None and receiver.member_site is not None:
                self.presence.touch(receiver.member_site)
            receiver.line = None
            wait_ms = int(place * 1000 / MEDIA_RAMP_PER_S)
            receiver.outbox.send(_frame(server.MediaLost(retry_after_ms=wait_ms)))

    def broadcast(self, name: str, frame: bytes) -> None:
        """The same bytes to everybody."""
        for receiver in self._receivers.values():
            receiver.outbox.send_state(frame, ((name, frame),))

    # --- sections ---

    def _renew(self, name: str, seq: int) -> bytes | None:
        """Encode the section anew if it has changed; the frame to send, or None."""
        message = translate.section(name, self.told, seq, self.names)
        known = self._sections.get(name)
        if known is not None and translate.same_but_seq(known.message, message):
            return None
        frame = _frame(message)
        self._sections[name] = _Section(message, frame, seq)
        return frame

    def _tell_sections(self) -> None:
        changed = [
            (name, frame)
            for name in translate.SECTIONS
            if name != "counts" and (frame := self._renew(name, self.seq)) is not None
        ]
        if changed:
            joined = b"".join(frame for _, frame in changed)
            for receiver in self._receivers.values():
                receiver.outbox.send_state(joined, changed)
        # A newcomer is told the newest counts at once; those who are there, a few times a second.
        if self._renew("counts", self.seq) is not None:
            self._counts_timer = self._soon(
                self._counts_timer, self._counts_at, self._counts_every_s(), self._tell_counts
            )

    def _counts_every_s(self) -> float:
        return max(COUNTS_EVERY_S, len(self._receivers) / COUNTS_FRAMES_PER_S)

    def _tell_counts(self) -> None:
        self._counts_timer = None
        self._counts_at = asyncio.get_running_loop().time()
        self.broadcast("counts", self._sections["counts"].frame)

    # --- microphones ---

    def _tell_microphones(self, events: Sequence[e.AnyEvent]) -> None:
        concerned: Iterable[Receiver]
        sites = {event.site for event in events if isinstance(event, _ONE_MICROPHONE)}
        if any(isinstance(event, _EVERYBODYS_MICROPHONE) for event in events):
            concerned = self._receivers.values()
        elif sites:
            concerned = [receiver for site in sites for receiver in self._by_site.get(site, ())]
        else:
            return
        self._heard = Rules(self.told).heard()
        self._microphone_frames.clear()
        for receiver in concerned:
            microphone = self._microphone_of(receiver)
            if microphone != receiver.microphone:
                receiver.microphone = microphone
                frame = self._microphone_frame(microphone)
                receiver.outbox.send_state(frame, (("microphones", frame),))

    def _microphone_of(self, receiver: Receiver) -> Microphone:
        site = receiver.member_site
        all_muted = self.told.microphones.all_muted
        if site is None:
            return (all_muted, False, False)
        return (all_muted, self._heard.includes(site), silenced(self.told.microphones, site))

    def _microphone_frame(self, microphone: Microphone) -> bytes:
        frame = self._microphone_frames.get(microphone)
        if frame is None:
            all_muted, may_speak, muted = microphone
            frame = self._microphone_frames[microphone] = _frame(
                server.Microphones(
                    seq=self.seq, all_muted=all_muted, you_may_speak=may_speak, you_are_muted=muted
                )
            )
        return frame

    # --- passing facts ---

    def _tell_acts(self, batch: Batch) -> None:
        officials = [r for r in self._receivers.values() if r.member.role in OFFICIALS]
        if not officials:
            return
        for record in batch.records:
            frame = _frame(translate.act(record, self.names))
            for receiver in officials:
                receiver.outbox.send_losable(frame)

    def _tell_line(self, event: lines.LineEvent) -> None:
        receiver = self._receivers.get(event.connection)
        if receiver is None:
            return
        before, now = receiver.line, lines.after(receiver.line, event)
        receiver.line = now
        if now is not None:
            if before is None or before.step != now.step:
                receiver.step_at = self._clock()
            frame = _frame(now)
            receiver.outbox.send_state(frame, (("line", frame),))
        if receiver.member_site is not None and not lines.look_alike(before, now):
            self.presence.touch(receiver.member_site)

    def _tell_layers(self, event: engine.LayersWanted) -> None:
        receiver = self._receivers.get(event.connection)
        if receiver is not None:
            frame = _frame(server.Layers(role=event.role, layers=event.layers))
            receiver.outbox.send_state(frame, ((f"layers-{event.role}", frame),))

    def _active(self, site: SiteId) -> HasLine | None:
        """The site's active device: its window, or an encoder."""
        known = self.told.sites.get(site)
        if known is None or known.active is None:
            return None
        connection = known.devices[known.active]
        return self._receivers.get(connection) or self.encoders.get(connection)

    def _tell_speaking(self) -> None:
        self._speaking_timer = None
        self._speaking_at = asyncio.get_running_loop().time()
        sites = tuple(self.names(site) for site in self._speaking)
        self.broadcast("speaking", _frame(server.Speaking(sites=sites)))

    # --- ghosts ---

    def _supersede(self, site: SiteId, device: object, connection: ConnectionId) -> None:
        for receiver in list(self._by_site.get(site, ())):
            if receiver.device == device and receiver.connection != connection:
                receiver.dismiss("disconnect", 0, "superseded", "this place was taken from another window")

    def _supersede_ghosts(self, receiver: Receiver) -> None:
        """The newcomer may have been replaced before it was told anything."""
        site = receiver.member_site
        known = self.told.sites.get(site) if site is not None else None
        if known is None or receiver.device is None:
            return
        standing = known.devices.get(receiver.device)
        if standing is not None and standing != receiver.connection:
            receiver.dismiss("disconnect", 0, "superseded", "this place was taken from another window")

    def _soon(
        self, timer: asyncio.TimerHandle | None, last: float, every_s: float, tell: Callable[[], None]
    ) -> asyncio.TimerHandle | None:
        """Call ``tell`` now if the last time is long enough ago, else as soon as it is."""
        if timer is not None:
            return timer
        loop = asyncio.get_running_loop()
        wait_s = last + every_s - loop.time()
        return loop.call_later(max(0.0, wait_s), tell)


def _frame(message: server.ServerMessage) -> bytes:
    return text_frame(codec.encode(message))
