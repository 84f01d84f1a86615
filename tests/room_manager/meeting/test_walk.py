"""Random people do random things in random order; whatever comes of it, the rules hold at every step."""

import contextlib
from typing import Final

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from room_manager.errors import DomainError, NotAllowed
from room_manager.ids import HOST, ConnectionId, SiteId
from room_manager.meeting import commands as c
from room_manager.meeting.events import AnyEvent, HandRaised, RecordingStarted, RecordingStopped
from room_manager.meeting.floor import SILENT_MODES
from room_manager.meeting.meeting import Meeting, Member
from room_manager.meeting.state import State
from room_manager.meeting.values import Device, Mode, RecordingEnd, Role, SiteState
from tests.helpers.meeting_driver import OBSERVER, OPERATOR, SECRETARY, SITES, MeetingDriver, member

WARDS: Final = SITES[:4]
ALL: Final = (HOST, *WARDS)
STRANGER: Final = SiteId("99999")
CHAIR: Final = member(HOST)
IMPOSTORS: Final = (*(member(site) for site in WARDS), SECRETARY, OBSERVER, Member(Role.SITE))

officials = st.sampled_from([CHAIR, OPERATOR])
devices = st.sampled_from(list(Device))
off_by = st.sampled_from([0, 0, 0, 0, 0, 0, 0, -1, 1])
speaking_times = st.sampled_from([None, None, 5.0, 12.5, 25.0, 60.0, 4.0, 20_000.0])
waits = st.sampled_from([0.0, 0.001, 5.0, 10.0, 19.999, 20.0, 29.999, 30.0, 40.0])

journal = msgspec.json.Decoder(AnyEvent)


class Walk(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.driver = MeetingDriver(WARDS)
        self.connections: list[tuple[SiteId, ConnectionId]] = []
        self.fold = Meeting()
        self.folded = 0
        self.raised: dict[SiteId, int] = {}

    @property
    def state(self) -> State:
        return self.driver.state

    def ask(self, command: c.AnyCommand, by: Member) -> None:
        """A refusal is fine; that it changed nothing is checked by the driver."""
        with contextlib.suppress(DomainError):
            self.driver.do(command, by=by)

    def pick(self, data: st.DataObject, state: SiteState = SiteState.PRESENT) -> SiteId:
        """Mostly a site that is in this state, now and then any, or one that does not exist."""
        fitting = [site for site in ALL if self.state.sites[site].state is state]
        return data.draw(st.sampled_from(fitting * 6 + [*ALL, STRANGER]))

    # --- coming and going ---

    @initialize(there=st.lists(st.sampled_from(ALL), unique=True, min_size=3))
    def some_are_there(self, there: list[SiteId]) -> None:
        for site in there:
            self.join(site, Device.PRIMARY)
        self.join(there[0], Device.BACKUP)

    @rule(site=st.sampled_from([*ALL, STRANGER]), device=devices)
    def join(self, site: SiteId, device: Device) -> None:
        connection = ConnectionId(f"walk-{len(self.connections)}")
        self.connections.append((site, connection))
        self.ask(c.Join(site, device, connection), member(site))

    @rule(data=st.data(), leaves=st.booleans())
    @precondition(lambda self: self.connections)
    def drop_or_leave_on_any_connection_ever(self, data: st.DataObject, leaves: bool) -> None:
        site, connection = data.draw(st.sampled_from(self.connections))
        act = c.Leave(site, connection) if leaves else c.Drop(site, connection)
        self.ask(act, member(site))

    @rule(data=st.data())
    def a_line_is_lost(self, data: st.DataObject) -> None:
        live = [site for site in ALL if self.state.sites[site].devices]
        if live:
            site = data.draw(st.sampled_from(live))
            device = data.draw(st.sampled_from(sorted(self.state.sites[site].devices)))
            self.driver.drop(site, device)

    @rule(data=st.data())
    @precondition(lambda self: self.state.floor.site)
    def the_speaker_goes_on(self, data: st.DataObject) -> None:
        """What seldom happens to just this site if sites are drawn at random."""
        speaker = self.state.floor.site
        assert speaker is not None
        connection = next(iter(self.state.sites[speaker].devices.values()), ConnectionId("none"))
        acts: list[c.AnyCommand] = [
            c.Drop(speaker, connection),
            c.Drop(speaker, connection),
            c.Leave(speaker, connection),
            c.Join(speaker, Device.BACKUP, ConnectionId(f"backup-{len(self.driver.events)}")),
            c.ShareContent(speaker),
            c.YieldFloor(speaker),
            c.RaiseHand(speaker),
        ]
        self.ask(data.draw(st.sampled_from(acts)), member(speaker))

    @rule(seconds=waits)
    def time_passes(self, seconds: float) -> None:
        self.driver.wait(seconds)

    @rule(seconds=waits)
    def time_passes_unnoticed(self, seconds: float) -> None:
        """The runner was late: everything that fell due comes in one tick."""
        self.driver.now += seconds
        self.driver.wait(0.0)

    # --- presence ---

    @rule(data=st.data(), reason=st.sampled_from(["ốm", " mất điện ", "", "\x00"]))
    def excuse(self, data: st.DataObject, reason: str) -> None:
        state = data.draw(st.sampled_from([SiteState.AWAY, SiteState.EXPECTED, SiteState.LEFT]))
        self.ask(c.ExcuseAbsence(self.pick(data, state), reason), SECRETARY)

    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        self.ask(c.WithdrawExcuse(self.pick(data, SiteState.EXCUSED)), SECRETARY)

    @rule(data=st.data(), people=st.sampled_from([-1, 0, 5, 9_999, 10_000]))
    def count(self, data: st.DataObject, people: int) -> None:
        site = self.pick(data)
        self.ask(c.CountPeople(site, people), member(site))

    # --- hands and floor ---

    @rule(data=st.data())
    def raise_hand(self, data: st.DataObject) -> None:
        site = self.pick(data)
        self.ask(c.RaiseHand(site), member(site))

    @rule(data=st.data())
    def lower_hand(self, data: st.DataObject) -> None:
        self.ask(c.LowerHand(data.draw(st.sampled_from(self.state.hands or list(ALL)))), SECRETARY)

    @rule(off=off_by)
    def clear_hands(self, off: int) -> None:
        self.ask(c.ClearHands(self.state.hands_version + off), SECRETARY)

    @rule(data=st.data(), time_s=speaking_times)
    def give_floor_as_seen(self, data: st.DataObject, time_s: float | None) -> None:
        self.ask(c.GiveFloor(self.pick(data), self.state.floor.version, time_s), CHAIR)

    @rule(data=st.data(), by=officials, off=off_by, time_s=speaking_times)
    def give_floor(self, data: st.DataObject, by: Member, off: int, time_s: float | None) -> None:
        self.ask(c.GiveFloor(self.pick(data), self.state.floor.version + off, time_s), by)

    @rule(by=officials, off=off_by, time_s=speaking_times)
    def next_speaker(self, by: Member, off: int, time_s: float | None) -> None:
        self.ask(c.NextSpeaker(self.state.floor.version + off, time_s), by)

    @rule(by=officials, off=off_by)
    def take_floor(self, by: Member, off: int) -> None:
        self.ask(c.TakeFloor(self.state.floor.version + off), by)

    @rule(data=st.data())
    def yield_floor(self, data: st.DataObject) -> None:
        site = self.state.floor.site or self.pick(data)
        self.ask(c.YieldFloor(site), member(site))

    # --- microphones ---

    @rule(mode=st.sampled_from([Mode.CALLED_SITE, Mode.OPEN, *Mode]), by=officials, off=off_by)
    def set_mode(self, mode: Mode, by: Member, off: int) -> None:
        self.ask(c.SetMode(mode, self.state.mode_version + off), by)

    @rule(by=officials, mute=st.booleans())
    def mute_or_unmute_all(self, by: Member, mute: bool) -> None:
        self.ask(c.MuteAll() if mute else c.UnmuteAll(), by)

    @rule(data=st.data(), by=officials, mute=st.booleans())
    def mute_or_unmute(self, data: st.DataObject, by: Member, mute: bool) -> None:
        site = self.pick(data)
        self.ask(c.MuteSite(site) if mute else c.UnmuteSite(site), by)

    # --- stage and content ---

    @rule(data=st.data(), count=st.integers(0, 5), by=officials, off=off_by)
    def set_stage(self, data: st.DataObject, count: int, by: Member, off: int) -> None:
        main, *tiles = (self.pick(data) for _ in range(1 + count))
        self.ask(c.SetStage(main, tuple(tiles), self.state.stage.version + off), by)

    @rule(data=st.data())
    def share(self, data: st.DataObject) -> None:
        site = data.draw(st.sampled_from([HOST, self.state.floor.site or HOST, self.pick(data)]))
        self.ask(c.ShareContent(site), member(site))

    @rule(data=st.data())
    def stop_sharing(self, data: st.DataObject) -> None:
        site = self.state.stage.content or self.pick(data)
        self.ask(c.StopContent(site), member(site))

    # --- recording ---

    @rule(by=st.sampled_from([CHAIR, SECRETARY]), start=st.booleans())
    def start_or_stop_recording(self, by: Member, start: bool) -> None:
        self.ask(c.StartRecording() if start else c.StopRecording(), by)

    @rule(why=st.sampled_from([RecordingEnd.DISK_FULL, RecordingEnd.FAILED]))
    def recording_fails(self, why: RecordingEnd) -> None:
        self.ask(c.FailRecording(why), CHAIR)

    # --- the meeting itself ---

    @rule(by=officials, lock=st.booleans())
    def lock_or_unlock(self, by: Member, lock: bool) -> None:
        self.ask(c.LockMeeting() if lock else c.UnlockMeeting(), by)

    @rule()
    @precondition(lambda self: len(self.driver.events) > 20)
    def end(self) -> None:
        self.ask(c.EndMeeting(), CHAIR)

    @rule(by=st.sampled_from(IMPOSTORS), data=st.data())
    def somebody_tries_what_is_not_for_them(self, by: Member, data: st.DataObject) -> None:
        state = self.state
        commands: list[c.AnyCommand] = [
            c.EndMeeting(),
            c.LockMeeting(),
            c.MuteAll(),
            c.UnmuteAll(),
            c.SetMode(Mode.OPEN, state.mode_version),
            c.TakeFloor(state.floor.version),
            c.NextSpeaker(state.floor.version),
            c.SetStage(None, (), state.stage.version),
            c.YieldFloor(HOST),
            c.ShareContent(HOST),
            c.FailRecording(RecordingEnd.FAILED),
            c.Join(HOST, Device.PRIMARY, ConnectionId("impostor")),
        ]
        command = data.draw(st.sampled_from(commands))
        with pytest.raises(NotAllowed):
            self.driver.do(command, by=by)

    # --- what holds at every step ---

    @invariant()
    def the_journal_gives_the_same_state(self) -> None:
        """As a second server would fold it: event by event, out of the stored form."""
        for event in self.driver.events[self.folded :]:
            self.fold.apply(journal.decode(msgspec.json.encode(event)))
        self.folded = len(self.driver.events)
        assert self.fold.state == self.state

    def teardown(self) -> None:
        assert self.driver.folded() == self.state

    @invariant()
    def counts_are_a_recount(self) -> None:
        recount = dict.fromkeys(SiteState, 0)
        for site in WARDS:
            recount[self.state.sites[site].state] += 1
        assert self.state.counts == recount

    @invariant()
    def sites_and_devices_agree(self) -> None:
        for site in self.state.sites.values():
            assert bool(site.devices) is (site.state is SiteState.PRESENT) or self.state.ended
            assert (site.active in site.devices) if site.devices else site.active is None
            assert len(set(site.devices.values())) == len(site.devices)
            assert (site.until is not None) is (site.state is SiteState.AWAY)
            assert (site.excuse is not None) is (site.state is SiteState.EXCUSED)
            assert site.been_here or site.state in (SiteState.EXPECTED, SiteState.EXCUSED)

    @invariant()
    def the_speaker_is_there_or_within_grace(self) -> None:
        floor = self.state.floor
        if floor.site is None:
            assert floor.until is None
            assert floor.held_until is None
            return
        assert self.state.mode not in SILENT_MODES
        assert not self.state.ended
        assert floor.site != HOST
        speaker = self.state.sites[floor.site]
        assert speaker.state in (SiteState.PRESENT, SiteState.AWAY)
        assert (floor.held_until is not None) is (speaker.state is SiteState.AWAY)
        assert floor.held_until is None or floor.held_until > self.driver.now
        assert floor.until is None or floor.until > self.driver.now

    @invariant()
    def the_queue_is_in_the_order_of_raising(self) -> None:
        hands = self.state.hands
        for number, event in enumerate(self.driver.events):
            if isinstance(event, HandRaised):
                self.raised[event.site] = number
        assert len(set(hands)) == len(hands)
        assert sorted(hands, key=lambda site: self.raised[site]) == hands
        assert self.state.floor.site not in hands
        assert HOST not in hands
        for site in hands:
            assert self.state.sites[site].state in (SiteState.PRESENT, SiteState.AWAY)

    @invariant()
    def starts_and_stops_of_the_recording_alternate_and_none_outlives_the_meeting(self) -> None:
        told = [e for e in self.driver.events if isinstance(e, RecordingStarted | RecordingStopped)]
        assert all(
            isinstance(event, RecordingStarted) is (number % 2 == 0) for number, event in enumerate(told)
        )
        since = told[-1].since if told and isinstance(told[-1], RecordingStarted) else None
        assert self.state.recording_since == since
        assert since is None or (since <= self.driver.now and not self.state.ended)

    @invariant()
    def the_stage_shows_who_is_there(self) -> None:
        stage = self.state.stage
        assert len(stage.tiles) <= c.MAX_TILES
        assert len({stage.main, *stage.tiles}) == 1 + len(stage.tiles)
        assert stage.content in (None, HOST, self.state.floor.site)
        for site in {stage.main, *stage.tiles, stage.content or HOST} - {HOST}:
            assert self.state.sites[site].state in (SiteState.PRESENT, SiteState.AWAY)

    @invariant()
    def who_is_heard_follows_from_mode_floor_and_mutes(self) -> None:
        state = self.state
        for site in ALL:
            muted = site in state.microphones.muted or (
                state.microphones.all_muted and site not in state.microphones.allowed
            )
            in_turn = state.mode is Mode.OPEN or (state.mode is Mode.CALLED_SITE and site == state.floor.site)
            speaks = (in_turn and not muted) or site == HOST
            silence = state.ended or state.mode is Mode.BREAK
            assert self.driver.may_speak(site) is (speaks and not silence)

    @invariant()
    def what_is_due_is_the_earliest_end_and_lies_ahead(self) -> None:
        floor = self.state.floor
        ends = [floor.until, floor.held_until, *(site.until for site in self.state.sites.values())]
        ahead = [end for end in ends if end is not None and not self.state.ended]
        assert self.driver.meeting.due() == min(ahead, default=None)
        assert all(end > self.driver.now for end in ahead)
        assert self.driver.meeting.tick(self.driver.now) == []


NO_DEADLINE: Final = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}

TestWalk = Walk.TestCase
TestWalk.settings = settings(max_examples=100, stateful_step_count=60, **NO_DEADLINE)  # type: ignore[arg-type]


class LongWalk(Walk):
    """The same, for as long as a night allows."""


TestLongWalk = pytest.mark.timeout(1_800)(pytest.mark.slow(LongWalk.TestCase))
TestLongWalk.settings = settings(max_examples=2_000, stateful_step_count=100, **NO_DEADLINE)  # type: ignore[arg-type]
