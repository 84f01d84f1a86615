"""Resume, replayed requests, ghosts, slow lines, and a server that goes away."""

import asyncio
import json
import socket
from pathlib import Path

import pytest

from room_manager.meeting.values import Device, Role
from signaling import outbox
from signaling.frames import text_frame
from tests.helpers.servers import A, B, C, Client, hall, settings

SECTIONS = {"meeting", "floor", "hands", "stage", "counts", "microphones", "recording"}


def have(client: Client) -> int:
    return max(int(message["seq"]) for message in client.heard if "seq" in message)


def test_who_comes_back_hears_what_changed_and_no_more(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            other = await here.enter(Role.SITE, B)
            member = await here.enter(Role.SITE, A)
            known, epoch = have(member), member.last("welcome")["epoch"]
            member.socket.transport.abort()
            await other.ask("raise-hand")

            back = await here.come_back(member, have=known, epoch=epoch)

            assert back.last("welcome")["resumed"] is True
            told = {message["type"] for message in back.heard} & SECTIONS
            assert told == {"hands", "counts", "microphones"}
            assert back.last("hands")["first"][0]["code"] == B

    asyncio.run(scenario())


@pytest.mark.parametrize("stale", [{"have": 3, "epoch": 99}, {"have": 10**9, "epoch": 1}, {}])
def test_who_knows_nothing_of_use_hears_everything(tmp_path: Path, stale: dict[str, int]) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            member = await here.enter(Role.SITE, A)
            back = await here.come_back(member, **stale)
            assert back.last("welcome")["resumed"] is False
            assert {message["type"] for message in back.heard} >= SECTIONS

    asyncio.run(scenario())


def test_a_replayed_request_is_answered_from_memory_and_done_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            member = await here.enter(Role.SITE, A)
            first = await member.ask("raise-hand", rid=50)
            await member.ask("lower-hand", rid=51)
            again = await member.ask("raise-hand", rid=50)
            assert again == first
            assert here.manager.told(here.meeting).hands == []

            back = await here.come_back(member)
            assert await back.ask("raise-hand", rid=50) == first
            assert here.manager.told(here.meeting).hands == []
            refused = await back.ask("give-floor", rid=52, site=B, floor_version=0)
            assert refused["code"] == "not-allowed"
            assert await back.ask("give-floor", rid=52, site=B, floor_version=0) == refused

    asyncio.run(scenario())


def test_a_request_cut_off_under_way_is_done_once_and_answered_to_the_next_socket(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            chair = await here.enter(Role.CHAIR)
            version = here.manager.told(here.meeting).mode_version
            asked = {"v": 1, "rid": 70, "type": "set-mode", "mode": "open", "mode_version": version}
            await chair.socket.send(json.dumps(asked))
            chair.socket.transport.abort()
            back = await here.come_back(chair)
            answer = await back.ask("set-mode", rid=70, mode="open", mode_version=version)
            assert answer["type"] == "done"
            assert here.manager.told(here.meeting).mode_version == version + 1

    asyncio.run(scenario())


def test_the_newer_window_takes_the_place_and_the_older_one_is_told(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            chair = await here.enter(Role.CHAIR)
            old = await here.enter(Role.SITE, A)
            await old.ask("raise-hand")
            await chair.ask("give-floor", site=A, floor_version=0)

            new = await here.enter(Role.SITE, A)

            assert (await old.hear("leave"))["code"] == "superseded"
            assert await old.closed() == 4009
            await chair.settle()
            assert chair.last("floor")["site"]["code"] == A
            assert chair.last("counts")["present"] == 1
            assert (await new.ask("yield-floor"))["type"] == "done"

    asyncio.run(scenario())


def test_the_two_devices_of_a_site_do_not_supersede_each_other(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            primary = await here.enter(Role.SITE, A)
            backup = await here.enter(Role.SITE, A, Device.BACKUP)
            assert (await primary.ask("ping"))["type"] == "pong"
            assert backup.last("counts")["present"] == 1
            assert here.manager.told(here.meeting).sites[A].active == Device.PRIMARY
            await primary.close()
            assert (await backup.ask("ping"))["type"] == "pong"

    asyncio.run(scenario())


def test_a_resumed_session_replaces_a_socket_that_is_only_half_dead(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            watcher = await here.enter(Role.SECRETARY)
            again = await here.come_back(watcher)
            assert await watcher.closed() == 4009
            assert (await again.ask("ping"))["type"] == "pong"

    asyncio.run(scenario())


def test_leaving_on_purpose_leaves_no_grace(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            chair = await here.enter(Role.CHAIR)
            member = await here.enter(Role.SITE, A)
            assert (await member.ask("leave"))["type"] == "done"
            assert (await member.hear("leave"))["code"] == "left"
            assert await member.closed() == 1000
            assert (await chair.hear("counts", where=lambda m: m["left"] == 1))["away"] == 0

    asyncio.run(scenario())


def test_the_end_of_the_meeting_is_told_and_nobody_comes_in_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            chair = await here.enter(Role.CHAIR)
            member = await here.enter(Role.SITE, A)
            await chair.say("end-meeting")
            assert (await member.hear("meeting"))["ended"] is True
            assert (await member.hear("leave"))["code"] == "ended"
            assert await member.closed() == 1000
            late = await here.dial()
            await late.say("hello", resume=member.last("welcome")["resume"])
            assert (await late.hear("problem"))["code"] == "ended"
            assert await late.closed() == 4003

    asyncio.run(scenario())


def test_at_the_end_of_the_server_everybody_gets_a_place_in_the_ramp(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            members = [await here.enter(Role.SITE, site) for site in (A, B, C)]
            here.server.should_exit = True
            leaves = [await member.hear("leave") for member in members]
            assert {leave["action"] for leave in leaves} == {"resume"}
            assert len({leave["retry_after_ms"] for leave in leaves}) == 3
            assert max(leave["retry_after_ms"] for leave in leaves) <= 20_000
            assert [await member.closed() for member in members] == [1001] * 3

    asyncio.run(scenario())


def test_after_a_restart_everybody_is_there_as_before(tmp_path: Path) -> None:
    async def scenario() -> None:
        chosen = settings(tmp_path)
        async with hall(chosen) as here:
            member = await here.enter(Role.SITE, A)
            await member.ask("raise-hand")
            meeting = here.meeting
        async with hall(chosen, sites=()) as here:
            here.meeting = meeting
            back = await here.come_back(member, have=have(member), epoch=member.last("welcome")["epoch"])
            assert back.last("welcome")["resumed"] is False
            assert back.last("hands")["first"][0]["code"] == A
            assert back.last("counts")["present"] == 1

    asyncio.run(scenario())


def test_a_client_that_does_not_read_is_sent_away_and_slows_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signaling.edge.MAX_LAG_S", 0.3)
    monkeypatch.setattr("signaling.edge.LOOK_EVERY_S", 0.1)

    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            member = await here.enter(Role.SITE, B)
            chair = await here.enter(Role.CHAIR)
            deaf = await here.enter(Role.SECRETARY)
            stuck = deaf.socket.transport.get_extra_info("socket")
            stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)  # else the kernel grows it
            deaf.socket.transport.pause_reading()
            slow = next(one for one in here.edge.live if one.who.role is Role.SECRETARY)
            receiver = next(
                r
                for r in (await here.edge.rooms.fanout(here.meeting)).receivers()
                if r.member.role is Role.SECRETARY
            )
            filler = text_frame(b'{"type":"filler","pad":"' + b"x" * 16_384 + b'"}')
            async with asyncio.timeout(8):
                while not receiver.outbox.behind:
                    receiver.outbox.send(filler)
                    await asyncio.sleep(0)
            for _ in range(20):
                receiver.outbox.send(filler)

            for n in range(40):
                await member.ask("lower-hand" if n % 2 else "raise-hand")
            assert len(receiver.outbox) < outbox.MAX_MESSAGES

            async with asyncio.timeout(8):
                while slow in here.edge.live:  # noqa: ASYNC110 - the server has no reason to tell
                    await asyncio.sleep(0.02)
            deaf.socket.transport.resume_reading()
            assert await deaf.closed() in (1006, 4008)
            assert (await chair.hear("hands", where=lambda m: m["version"] >= 40))["total"] == 0

    asyncio.run(scenario())


def test_raised_in_the_same_millisecond_everybody_sees_one_order(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            everybody = [await here.enter(Role.SITE, site) for site in (C, A, B)]
            everybody += [await here.enter(Role.CHAIR), await here.enter(Role.OBSERVER)]
            await asyncio.gather(*(client.say("raise-hand") for client in everybody[:3]))
            seen = [await client.hear("hands", where=lambda m: m["total"] == 3) for client in everybody]
            orders = {tuple(site["code"] for site in told["first"]) for told in seen}
            assert len(orders) == 1
            assert set(orders.pop()) == {A, B, C}

    asyncio.run(scenario())
