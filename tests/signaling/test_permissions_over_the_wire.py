"""Every command by every role over a real socket: what the table forbids is refused, the rest is not."""

import asyncio
from pathlib import Path
from typing import Any, Final

import pytest

from room_manager.ids import HOST, SiteId
from room_manager.meeting import commands
from room_manager.meeting.permissions import ROLES, Scope, may, scope
from room_manager.meeting.values import Role
from signaling.rights import OFFICIALS
from signaling.translate import COMMANDS
from signaling.wire import client
from tests.helpers.engines import offer, wall_offer
from tests.helpers.servers import A, B, hall, settings

SAMPLES: Final[dict[type[client.ClientMessage], dict[str, Any]]] = {
    client.RaiseHand: {"site": A},
    client.LowerHand: {"site": A},
    client.ClearHands: {"hands_version": 99},
    client.GiveFloor: {"site": B, "floor_version": 99},
    client.NextSpeaker: {"floor_version": 99},
    client.TakeFloor: {"floor_version": 99},
    client.YieldFloor: {},
    client.SetMode: {"mode": "open", "mode_version": 99},
    client.MuteAll: {},
    client.UnmuteAll: {},
    client.MuteSite: {"site": B},
    client.UnmuteSite: {"site": B},
    client.SetStage: {"main": None, "tiles": [], "stage_version": 99},
    client.ShareContent: {},
    client.StopContent: {},
    client.ExcuseAbsence: {"site": B, "reason": "họp trên Bộ"},
    client.WithdrawExcuse: {"site": B},
    client.CountPeople: {"people": 3},
    client.LockMeeting: {},
    client.UnlockMeeting: {},
    client.StartRecording: {},
    client.StopRecording: {},
    client.EndMeeting: {},
}
"""One of each. The versions are wrong on purpose: what is allowed is ``stale`` and changes nothing."""


def test_there_is_a_sample_of_every_command() -> None:
    assert set(SAMPLES) == set(COMMANDS)


def allowed(role: Role, message: type[client.ClientMessage], site: SiteId | None) -> bool:
    """What the table says of this command for this site."""
    granted = scope(role, getattr(commands, message.__name__))
    if granted is Scope.ANY:
        return True
    own = {Role.CHAIR: HOST, Role.SITE: A}.get(role)
    named = site if site is not None else (own if role is Role.SITE else HOST)
    return (granted is Scope.OWN and named == own) or (granted is Scope.HOST and named == HOST)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_can_ask_what_the_table_gives_it_and_nothing_else(tmp_path: Path, role: Role) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            member = await here.enter(role, A if role is Role.SITE else None)
            asks = ("watch-presence", "watch-wall") if role in OFFICIALS else ()
            assert tuple(member.last("welcome")["you"]["may"]) == may(role) + asks
            wrong = []
            for message, fields in sorted(SAMPLES.items(), key=lambda item: item[0] is client.EndMeeting):
                type_ = message.__struct_config__.tag
                for named in [{}, {"site": A}, {"site": B}] if "site" in fields else [{}]:
                    chosen = {**fields, **named}
                    answer = await member.ask(str(type_), **chosen)
                    got = answer["type"] != "problem" or answer["code"] != "not-allowed"
                    if got != allowed(role, message, chosen.get("site")):
                        wrong.append((type_, chosen, answer))
            assert wrong == []

    asyncio.run(scenario())


@pytest.mark.parametrize("role", ROLES)
def test_what_is_no_command_follows_the_role_too(tmp_path: Path, role: Role) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            member = await here.enter(role, A if role is Role.SITE else None)
            official, stands = role in OFFICIALS, role in (Role.SITE, Role.CHAIR)
            expected = {
                ("watch-presence", "done" if official else "problem"),
                ("device-state", "done" if stands else "problem"),
                ("ping", "pong"),
                ("offer", "answer"),
                ("restart-ice", "answer"),
                ("wall offer", "answer" if official else "not-allowed"),
                ("wall restart-ice", "answer" if official else "not-allowed"),
                ("watch-wall", "done" if official else "not-allowed"),
                ("close-wall", "done" if official else "not-allowed"),
            }

            async def media(type: str, **fields: Any) -> str:
                answer = await member.ask(type, **fields)
                return str(answer.get("code", answer["type"]))

            got = {
                ("watch-presence", (await member.ask("watch-presence", on=True))["type"]),
                ("device-state", (await member.ask("device-state", microphone=False, camera=True))["type"]),
                ("ping", (await member.ask("ping"))["type"]),
                ("offer", await media("offer", sdp=offer())),
                ("restart-ice", await media("restart-ice", sdp=offer())),
                ("wall offer", await media("offer", sdp=wall_offer(), purpose="wall")),
                ("wall restart-ice", await media("restart-ice", sdp=wall_offer(), purpose="wall")),
                ("watch-wall", await media("watch-wall", sites=[A, B])),
                ("close-wall", await media("close-wall")),
            }
            assert got == expected

    asyncio.run(scenario())


@pytest.mark.parametrize("role", ROLES)
def test_acts_and_presence_are_heard_by_city_hall_alone(tmp_path: Path, role: Role) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            member = await here.enter(role, A if role is Role.SITE else None)
            await member.ask("watch-presence", on=True)
            other = await here.enter(Role.SITE, B)
            await other.ask("raise-hand")
            await member.hear("hands", where=lambda m: m["total"] == 1)
            if role in OFFICIALS:
                row = await member.hear("presence", where=lambda m: any(r["code"] == B for r in m["sites"]))
                assert row["seq"] >= 1
            await member.settle()
            acts = [message["act"] for message in member.heard if message["type"] == "act"]
            assert bool(acts) == (role in OFFICIALS)
            assert any(m["type"] == "presence" for m in member.heard) == (role in OFFICIALS)

    asyncio.run(scenario())
