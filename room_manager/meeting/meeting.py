"""One meeting: ``handle`` decides, ``apply`` remembers. The rules themselves are in the files beside."""

from typing import assert_never

from room_manager.errors import Ended
from room_manager.meeting import commands as c
from room_manager.meeting import (
    content,
    departure,
    floor,
    hands,
    lifecycle,
    microphones,
    permissions,
    presence,
    recording,
    stage,
)
from room_manager.meeting import events as e
from room_manager.meeting.member import Member
from room_manager.meeting.microphones import Heard
from room_manager.meeting.state import State
from room_manager.meeting.values import FloorEnd, RecordingEnd

__all__ = ["Heard", "Meeting", "Member"]


class Meeting:
    """The rules over one :class:`State`, which is all that a meeting remembers."""

    def __init__(self, state: State | None = None) -> None:
        self.state = State() if state is None else state

    def handle(self, command: c.AnyCommand, by: Member, now: float) -> list[e.AnyEvent]:
        """Decide. Changes nothing; raises ``DomainError``. Events must be applied in order.

        No event means that what was asked for is already so. ``now`` is on the room's clock: UTC seconds.
        """
        permissions.check(command, by)
        state = self.state
        if state.ended:
            if isinstance(command, c.Drop | c.Leave):
                return []
            raise Ended("the meeting is over")
        match command:
            case c.Join():
                return presence.join(state, command)
            case c.Drop():
                return presence.drop(state, command, now)
            case c.Leave():
                return presence.leave(state, command)
            case c.ExcuseAbsence():
                return presence.excuse_absence(state, command)
            case c.WithdrawExcuse():
                return presence.withdraw_excuse(state, command)
            case c.CountPeople():
                return presence.count_people(state, command)
            case c.RaiseHand():
                return hands.raise_hand(state, command)
            case c.LowerHand():
                return hands.lower_hand(state, command)
            case c.ClearHands():
                return hands.clear_hands(state, command)
            case c.GiveFloor():
                return floor.give_floor(state, command, now)
            case c.NextSpeaker():
                return floor.next_speaker(state, command, now)
            case c.TakeFloor():
                return floor.take_floor(state, command)
            case c.YieldFloor():
                return floor.yield_floor(state, command)
            case c.SetMode():
                return microphones.set_mode(state, command)
            case c.MuteAll():
                return microphones.mute_all(state)
            case c.UnmuteAll():
                return microphones.unmute_all(state)
            case c.MuteSite():
                return microphones.mute_site(state, command)
            case c.UnmuteSite():
                return microphones.unmute_site(state, command)
            case c.SetStage():
                return stage.set_stage(state, command)
            case c.ShareContent():
                return content.share_content(state, command)
            case c.StopContent():
                return content.stop_content(state, command)
            case c.StartRecording():
                return recording.start(state, now)
            case c.StopRecording():
                return recording.stopped(state, RecordingEnd.ASKED)
            case c.FailRecording(why=why):
                return recording.stopped(state, why)
            case c.LockMeeting():
                return lifecycle.lock(state)
            case c.UnlockMeeting():
                return lifecycle.unlock(state)
            case c.EndMeeting():
                return lifecycle.end(state)
            case _:
                assert_never(command)

    def apply(self, event: e.AnyEvent) -> None:
        """Remember. Never refuses: what is in the journal has happened."""
        state = self.state
        match event:
            case e.MeetingOpened():
                lifecycle.on_opened(state, event)
            case e.SiteJoined():
                presence.on_site_joined(state, event)
            case e.DeviceDropped():
                presence.on_device_dropped(state, event)
            case e.SiteDropped():
                presence.on_site_dropped(state, event)
            case e.GraceEnded() | e.SiteLeft():
                presence.on_site_gone(state, event)
            case e.AbsenceExcused():
                presence.on_absence_excused(state, event)
            case e.ExcuseWithdrawn():
                presence.on_excuse_withdrawn(state, event)
            case e.PeopleCounted():
                presence.on_people_counted(state, event)
            case e.HandRaised():
                hands.on_hand_raised(state, event)
            case e.HandLowered():
                hands.on_hand_lowered(state, event)
            case e.HandsCleared():
                hands.on_hands_cleared(state)
            case e.FloorGiven():
                floor.on_floor_given(state, event)
            case e.FloorEnded():
                floor.on_floor_ended(state, event)
            case e.ModeSet():
                microphones.on_mode_set(state, event)
            case e.AllMuted():
                microphones.on_all_muted(state)
            case e.AllUnmuted():
                microphones.on_all_unmuted(state)
            case e.SiteMuted():
                microphones.on_site_muted(state, event)
            case e.SiteUnmuted():
                microphones.on_site_unmuted(state, event)
            case e.StageSet():
                stage.on_stage_set(state, event)
            case e.ContentShared():
                stage.on_content_shared(state, event)
            case e.ContentStopped():
                stage.on_content_stopped(state)
            case e.RecordingStarted():
                recording.on_started(state, event)
            case e.RecordingStopped():
                recording.on_stopped(state)
            case e.MeetingLocked():
                state.locked = True
            case e.MeetingUnlocked():
                state.locked = False
            case e.MeetingEnded():
                state.ended = True
            case _:
                assert_never(event)

    def due(self) -> float | None:
        """When ``tick`` has something to do next, or None."""
        if self.state.ended:
            return None
        held = self.state.floor
        ends = (presence.next_grace(self.state), held.until, held.held_until)
        return min((at for at in ends if at is not None), default=None)

    def tick(self, now: float) -> list[e.AnyEvent]:
        """What the passing of time brings: grace and speaking times that have ended.

        Once the events are applied, ``due`` is later than ``now``: a tick is never due twice.
        """
        state = self.state
        if state.ended:
            return []
        why = floor.over(state, now)
        brings = floor.ended(state, why) if why is not None else []
        for site in presence.graces_over(state, now):
            if why is None or site != state.floor.site:
                brings += departure.gives_up(state, site, FloorEnd.DROPPED)
            brings.append(e.GraceEnded(site))
        return brings

    def heard(self) -> Heard:
        """Who may be heard now, by mode, floor and mutes."""
        return microphones.heard(self.state)
