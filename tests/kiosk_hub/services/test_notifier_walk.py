"""Incidents come and go while the other side refuses, delays and takes, and the server dies now and then."""

import asyncio
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk_hub.fleet.facts import Camera
from kiosk_hub.fleet.notice import Notice
from kiosk_hub.fleet.notices import NoticeKind, NoticeState, QuietHours, Route
from kiosk_hub.fleet.values import Severity
from kiosk_hub.services.channels import Refused, Undelivered
from tests.helpers import databases
from tests.helpers.incident_bench import HALL, OTHERS, Bench, again, bench

FROZEN = Camera(state="frozen", moving=False)
ROUTES = (
    Route(id="mot", name="Một", channel="email", addresses=("a@city.vn", "b@city.vn"), least=Severity.MINOR),
    Route(id="hai", name="Hai", channel="email", addresses=("c@city.vn",), districts=("002",)),
)
ACTS = ("break", "mend", "cut", "power", "wait", "deliver", "night", "restart")
MOODS = ("takes", "takes", "takes", "later", "never")


class OtherSide:
    """A mail server's moods, one for each letter in turn; keeps what it took."""

    def __init__(self) -> None:
        self.moods: list[str] = []
        self.taken: Counter[str] = Counter()
        self.letters: list[Notice] = []

    async def send(self, notice: Notice, route: Route, secret: bytes) -> None:
        await asyncio.sleep(0)
        mood = self.moods.pop(0) if self.moods else "takes"
        if mood == "later":
            raise Undelivered("mail-later", "451 come back")
        if mood == "never":
            raise Refused("mail-refused", "550 no")
        self.taken[notice.id] += 1
        self.letters.append(notice)


async def walk(folder: Path, acts: list[str], moods: list[str]) -> None:
    other = OtherSide()
    other.moods = list(moods)
    async with asyncio.timeout(60), bench(folder) as city:
        await told_by(city, other, first=True)
        for act in acts:
            city = await one(city, other, act)
        other.moods.clear()
        city.revive(*HALL, *OTHERS)
        city.facts.clear()
        await city.wait(1_500, step_s=9)
        city.clock.now += 86_400  # past every night and every retry
        await city.deliver()

        outgoing, total = await city.book.page(None, 0, 1_000)
        assert total == len(outgoing)
        assert {one.state for one in outgoing} <= {NoticeState.SENT, NoticeState.DEAD, NoticeState.DROPPED}
        assert all(many == 1 for many in other.taken.values())
        assert {one.id for one in outgoing if one.state is NoticeState.SENT} == set(other.taken)
        began = Counter(
            (one.incident, one.route, one.to) for one in outgoing if one.kind is NoticeKind.OPENED
        )
        assert all(many == 1 for many in began.values())
        told = {(one.incident, one.to) for one in outgoing if one.kind is not NoticeKind.CLOSED}
        assert {(one.incident, one.to) for one in outgoing if one.kind is NoticeKind.CLOSED} <= told


async def one(city: Bench, other: OtherSide, act: str) -> Bench:
    match act:
        case "break":
            city.breaks(OTHERS[0], camera=FROZEN)
            await city.wait(130)
        case "mend":
            city.breaks(OTHERS[0])
            await city.wait(800)
        case "cut":
            city.kill(*HALL)
            await city.wait(130)
        case "power":
            city.revive(*HALL)
            await city.wait(800)
        case "wait":
            await city.wait(60)
        case "deliver":
            await city.deliver()
        case "night":
            await city.wait(8 * 3_600, step_s=9.9)
        case _:
            city = await again(city)
            await told_by(city, other)
    return city


async def told_by(city: Bench, other: OtherSide, first: bool = False) -> None:
    routes = ROUTES if first else ()
    await city.tells(1, *routes, channels={"email": other, "webhook": other}, quiet=QuietHours())


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(
    acts=st.lists(st.sampled_from(ACTS), min_size=3, max_size=14),
    moods=st.lists(st.sampled_from(MOODS), max_size=30),
)
def test_each_is_taken_once_and_none_is_forgotten(acts: list[str], moods: list[str]) -> None:
    databases.prepare()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(walk(Path(folder), acts, moods))
