"""Whatever a client sends, it gets a problem with a stable code or a proper close; nobody else notices."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from room_manager.meeting.values import Role
from signaling import limits
from tests.helpers.servers import A, B, C, Client, D, Hall, hall, settings

INSIDE: list[tuple[str, dict[str, Any] | str, str]] = [
    ("not JSON", "hello there", "bad-json"),
    ("JSON, but no object", "[1,2,3]", "bad-json"),
    ("an unknown type", {"type": "fly"}, "unknown-type"),
    ("another version", {"type": "ping", "v": 9}, "bad-version"),
    ("a field of another type", {"type": "raise-hand", "site": 7}, "bad-field"),
    ("a mode that there is not", {"type": "set-mode", "mode": "party", "mode_version": 0}, "bad-field"),
    ("nested without end", '{"v":1,"rid":1,"type":"ping","a":' + "[" * 5_000, "too-deep"),
    ("longer than a message may be", {"type": "ping", "pad": "x" * 20_000}, "too-big"),
    ("hello once more", {"type": "hello", "ticket": "x"}, "wrong-state"),
    ("another site's hand", {"type": "raise-hand", "site": B}, "not-allowed"),
    ("a hand of no site", {"type": "raise-hand", "site": "no-such-site"}, "not-allowed"),
    ("a command of the chair", {"type": "end-meeting"}, "not-allowed"),
    ("people below zero", {"type": "count-people", "people": -1}, "invalid"),
    ("people without end", {"type": "count-people", "people": 10**12}, "invalid"),
    ("presence for a ward", {"type": "watch-presence", "on": True}, "not-allowed"),
    ("an offer that is none", {"type": "offer", "sdp": "v=0"}, "bad-offer"),
    ("a thousand media sections", {"type": "offer", "sdp": "x"}, "bad-offer"),
]


def thousand_sections() -> str:
    head = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
    return head + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:1\r\n" * 1_000


def test_what_is_wrong_inside_is_a_problem_and_nothing_changes(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            other = await here.enter(Role.SITE, C)
            before = here.manager.seq(here.meeting)
            member = await here.enter(Role.SITE, A)
            joined = here.manager.seq(here.meeting)
            for name, sent, code in INSIDE:
                if isinstance(sent, str):
                    await member.socket.send(sent)
                    answer = await member.hear("problem")
                else:
                    sent = {**sent, "sdp": thousand_sections()} if "thousand" in name else sent
                    answer = await member.ask(**sent)
                assert (name, answer["type"], answer.get("code")) == (name, "problem", code)
            assert here.manager.seq(here.meeting) == joined == before + 1
            assert (await other.ask("raise-hand"))["type"] == "done"
            assert (await member.ask("raise-hand"))["type"] == "done"

    asyncio.run(scenario())


Outside = Callable[[Client, Hall], Awaitable[None]]


async def say_nothing(client: Client, here: Hall) -> None:
    """Not even hello."""


async def binary(client: Client, here: Hall) -> None:
    await client.socket.send(b"\x00\x01")


async def a_megabyte(client: Client, here: Hall) -> None:
    await client.socket.send("x" * 1_000_000)


async def no_utf8(client: Client, here: Hall) -> None:
    await client.socket.send(b'{"type":"\xff\xfe"}', text=True)


async def no_json(client: Client, here: Hall) -> None:
    await client.socket.send("GET / HTTP/1.1")


async def ping_first(client: Client, here: Hall) -> None:
    await client.say("ping")


async def no_credentials(client: Client, here: Hall) -> None:
    await client.say("hello")


async def made_up_ticket(client: Client, here: Hall) -> None:
    await client.say("hello", ticket="made-up")


async def used_ticket(client: Client, here: Hall) -> None:
    ticket = await here.ticket(Role.SITE, A)
    here.edge.tickets.redeem(ticket)
    await client.say("hello", ticket=ticket)


async def made_up_resume(client: Client, here: Hall) -> None:
    await client.say("hello", resume="bWFkZQ.dXA")


async def unknown_site(client: Client, here: Hall) -> None:
    await client.say("hello", ticket=await here.ticket(Role.SITE, D))


@pytest.mark.parametrize(
    ("act", "code", "close"),
    [
        (say_nothing, "hello-timeout", 4001),
        (binary, None, 1003),
        (a_megabyte, None, 1009),
        (no_utf8, None, 1007),
        (no_json, "bad-json", 4001),
        (ping_first, "wrong-state", 4001),
        (no_credentials, "bad-field", 4003),
        (made_up_ticket, "bad-ticket", 4002),
        (used_ticket, "bad-ticket", 4002),
        (made_up_resume, "bad-token", 4002),
        (unknown_site, "unknown-site", 4003),
    ],
)
def test_who_does_not_come_in_properly_is_told_and_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: Outside, code: str | None, close: int
) -> None:
    if act is say_nothing:
        monkeypatch.setattr(limits, "HELLO_WITHIN_S", 0.05)

    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            inside = await here.enter(Role.SITE, C)
            client = await here.dial()
            await act(client, here)
            assert await client.closed() == close
            problems = [message["code"] for message in client.heard if message["type"] == "problem"]
            assert problems == ([code] if code else [])
            assert len(here.edge.lobby) == 0
            assert (await inside.ask("raise-hand"))["type"] == "done"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("act", "close"), [(binary, 1003), (a_megabyte, 1009), (no_utf8, 1007)], ids=["binary", "big", "utf8"]
)
def test_what_cannot_be_text_closes_a_member_and_its_site_is_away(
    tmp_path: Path, act: Outside, close: int
) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            chair = await here.enter(Role.CHAIR)
            member = await here.enter(Role.SITE, A)
            await act(member, here)
            assert await member.closed() == close
            assert (await chair.hear("counts", where=lambda m: m["away"] == 1))["present"] == 0

    asyncio.run(scenario())


def test_too_many_messages_are_refused_and_in_the_end_the_socket_is_closed(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            other = await here.enter(Role.SITE, B)
            member = await here.enter(Role.SITE, A)
            text = json.dumps({"v": 1, "rid": 1, "type": "ping"})
            with contextlib.suppress(ConnectionClosedError):
                for _ in range(int(limits.MESSAGE_BURST + limits.STRIKES) + 100):
                    await member.socket.send(text)
            assert await member.closed() == 4029
            assert "rate-limited" in {m.get("code") for m in member.heard}
            assert (await other.ask("ping"))["type"] == "pong"

    asyncio.run(scenario())


def test_a_rate_broken_now_and_then_is_forgiven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STRIKES_FORGIVEN_PER_S", 1e6)  # as if hours lay between

    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            member = await here.enter(Role.SITE, A)
            text = json.dumps({"v": 1, "rid": 1, "type": "ping"})
            for _ in range(int(limits.MESSAGE_BURST + 3 * limits.STRIKES)):
                await member.socket.send(text)
            refused = [await member.hear("problem") for _ in range(int(2 * limits.STRIKES))]
            assert {problem["code"] for problem in refused} == {"rate-limited"}
            assert member.socket.close_code is None

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost.evil.example"]
)
def test_a_page_of_another_site_gets_no_socket(tmp_path: Path, origin: str) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path), sites=()) as here:
            with pytest.raises(InvalidStatus) as refused:
                await here.dial(origin=origin)
            assert refused.value.response.status_code == 403
            await here.dial(origin=here.origin)

    asyncio.run(scenario())


def test_one_address_may_not_fill_the_lobby(tmp_path: Path) -> None:
    async def scenario() -> None:
        chosen = settings(tmp_path, known_networks=())
        async with hall(chosen) as here:
            waiting = [await here.dial() for _ in range(limits.UNAUTHENTICATED_PER_ADDRESS)]
            with pytest.raises(InvalidStatus) as refused:
                await here.dial()
            assert refused.value.response.status_code == 503

            ticket = await here.ticket(Role.SITE, A)
            assert (await waiting[0].ask("hello", ticket=ticket))["type"] == "welcome"
            await here.dial()

    asyncio.run(scenario())


def test_offers_come_slowly(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            member = await here.enter(Role.SITE, A)
            codes = [(await member.ask("offer", sdp="v=0"))["code"] for _ in range(6)]
            assert codes[:4] == ["bad-offer"] * 4
            assert codes[-1] == "busy"

    asyncio.run(scenario())
