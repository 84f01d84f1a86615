"""Notices to a real mail server and receiver: each arrives, none twice, whatever the other side does."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from kiosk_hub.fleet import incident_acts as acts
from kiosk_hub.fleet.facts import Camera
from kiosk_hub.fleet.ids import IncidentId
from kiosk_hub.fleet.notices import NoticeKind, NoticeState, QuietHours, Route
from kiosk_hub.fleet.values import Severity
from kiosk_hub.services.notice_settings import UnknownRoute
from kiosk_hub.store import notices as store
from kiosk_hub.store.tables import audit
from room_manager.errors import Invalid, NotAllowed, Stale
from tests.helpers.incident_bench import HALL, HOA, LAN, OTHERS, QUAN, Bench, again, bench
from tests.helpers.receivers import Mailbox, Receiver, mailbox, receiver

FROZEN = Camera(state="frozen", moving=False)
TEAM = Route(id="to-ky-thuat", name="Tổ kỹ thuật", channel="email", addresses=("lan@city.vn",))
EVERYTHING = Route(
    id="tat-ca", name="Tất cả", channel="email", addresses=("truc@city.vn",), least=Severity.MINOR
)
NEVER_QUIET = QuietHours(0, 0)
NIGHT_S = 11 * 3_600.0
"""From the bench's noon to 23:00."""


def hook(url: str, **more: object) -> Route:
    plain = {"id": "truc", "name": "Phòng trực", "channel": "webhook", "url": url, "quiet": False}
    return Route(**{**plain, **more})  # type: ignore[arg-type]


def run(folder: Path, story: Callable[[Bench, Mailbox, Receiver], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(60), mailbox() as box, receiver() as there, bench(folder) as city:
            await story(city, box, there)

    asyncio.run(main())


async def power_cut(city: Bench) -> str:
    city.kill(*HALL)
    await city.wait(120)
    return city.only().id


def test_the_audit_says_what_became_different_in_the_settings(tmp_path: Path) -> None:
    async def story(city: Bench, box: Mailbox, there: Receiver) -> None:
        await city.tells(box.port, TEAM)
        off = replace(TEAM, on=False)
        await city.tells(box.port, off, EVERYTHING, quiet=NEVER_QUIET, silent_days=3)
        async with city.database.read() as connection:
            rows = (await connection.execute(select(audit.c.body).order_by(audit.c.seq))).scalars()
            first, second = (json.loads(body)["entry"]["values"] for body in rows)
        assert first == {"version": 1, "added": TEAM.id}
        assert second == {
            "version": 2,
            "added": EVERYTHING.id,
            "changed": f"{TEAM.id}(on)",
            "quiet": "0-0",
            "silent_days": 3,
        }

    run(tmp_path, story)


def test_a_letter_says_place_and_fault_and_later_that_it_is_over(tmp_path: Path) -> None:
    async def story(city: Bench, box: Mailbox, there: Receiver) -> None:
        await city.tells(box.port, TEAM)
        name = await power_cut(city)
        await city.deliver()
        city.revive(*HALL)
        await city.wait(900)
        await city.deliver()

        assert box.subjects() == [
            "[Điểm Cầu] Sự cố mới (khẩn cấp): Mất điện hoặc mất đường truyền tại Nhà văn hóa số 3, "
            "Phường Số 00001, Quận 001 (4/4 thiết bị)",
            "[Điểm Cầu] Sự cố đã kết thúc (khẩn cấp): Mất điện hoặc mất đường truyền tại Nhà văn hóa số 3, "
            "Phường Số 00001, Quận 001 (4/4 thiết bị)",
        ]
        first = box.letters[0]
        plain = first.get_body(("plain",))
        assert plain is not None
        assert f"https://meet.city.vn/fleet/incidents/{name}" in plain.get_content()
        assert first["To"] == "lan@city.vn"
        assert first["Auto-Submitted"] == "auto-generated"
        assert first["References"] == box.letters[1]["References"]
        assert first["Message-ID"] != box.letters[1]["Message-ID"]

    run(tmp_path, story)


def test_a_place_lost_again_is_told_by_one_letter(tmp_path: Path) -> None:
    async def story(city: Bench, box: Mailbox, there: Receiver) -> None:
        await city.tells(box.port, TEAM, escalate_critical_minutes=0)
        await power_cut(city)
        city.revive(*HALL[:3])
        await city.wait(3_600)
        city.kill(*HALL[:3])
        await city.wait(130)
        await city.deliver()

        assert [one.kind for one in await city.outgoing()] == [NoticeKind.OPENED, NoticeKind.REOPENED]

    run(tmp_path, story)


def test_a_webhook_is_signed_and_tried_again_with_the_same_key_and_body(tmp_path: Path) -> None:
    async def story(city: Bench, box: Mailbox, there: Receiver) -> None:
        await city.tells(box.port, hook(there.url))
        there.answers = [503]
        secret = (await city.book.new_secret(QUAN, "truc")).removeprefix("whsec_")
        await power_cut(city)
        await city.deliver()
        await city.wait(60)
        await city.deliver()
        await city.deliver()

        first, second = there.posts
        assert first.body == second.body
        assert first.headers["webhook-id"] == second.headers["idempotency-key"]
        told = json.loads(first.body)
        assert told["type"] == "incident.opened"
        assert told["data"]["incident"]["ill"] == 4
        for post in there.posts:
            key, seconds = post.headers["webhook-id"], post.headers["webhook-timestamp"]
            signed = f"{key}.{seconds}.".encode() + post.body
            digest = hmac.new(base64.b64decode(secret), signed, hashlib.sha256).digest()
            assert post.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"

    run(tmp_path, story)


def test_greylisted_it_waits_and_arrives_once(tmp_path: Path) -> None:
    async def story(city: Bench, box: Mailbox, there: Receiver) -> None:
        await city.tells(box.port, TEAM)
        box.answers = ["451 4.7.1 greylisted, come back later"]
        await power_cut(city)
        await city.deliver()
        (waiting,) = await city.outgoing()
        assert (waiting.state, waiting.code, waiting.attempts) == (NoticeState.WAITING, "mail-later", 1)
        assert not box.letters

        await city.wait(60)
        await city.deliver()
        await city.deliver()
        (sent,) = await city.outgoing()
        assert (sent.state, sent.attempts) == (NoticeState.SENT, 2)
        assert len(box.letters) == 1

    run(tmp_path, story)


def test_refused_for_good_it_is_given_up_at_once_and_staff_may_try_again(tmp_path: Path) -> None:
    async def story(city: Bench, box: Mailbox, there: Receiver) -> None:
        await city.tells(box.port, TEAM)
        box.recipients["lan@city.vn"] = "550 5.1.1 no such mailbox"
        await power_cut(city)
        await city.deliver()
        (dead,) = await city.outgoing()
        assert (dead.state, dead.code, box.tries) == (NoticeState.DEAD, "mail-refused", 1)
        assert "no such mailbox" in dead.error

        del box.recipients["lan@city.vn"]
        with pytest.raises(NotAllowed):
            await city.book.retry(LAN, dead.id)
        await city.book.retry(QUAN, dead.id)
        await city.deliver()
        assert [one.state for one in await city.outgoing()] == [NoticeState.SENT]

    run(tmp_path, story)


def test_a_mail_server_that_hangs_holds_up_nobody_else(tmp_path: Path) -> None:
    async def story(city: Bench, box: Mailbox, there: Receiver) -> None:
        await city.tells(box.port, TEAM, hook(there.url), limit_s=1.0)
        box.hangs = True
        await power_cut(city)
        await city.deliver()

        assert len(there.posts) == 1
        states = {one.channel: one.state for one in await city.outgoing()}
        assert states == {"email": NoticeState.WAITING, "webhook": NoticeState.SENT}

    run(tmp_path, story)


def test_nor_does_it_with_hundreds_that_were_due_before(tmp_path: Path) -> None:
    async def story(city: Bench, box: Mailbox, there: Receiver) -> None:
        made = await city.tells(box.port, TEAM, hook(there.url), limit_s=20.0)
        box.hangs = True
        await power_cut(city)
        mail = next(one for one in await city.outgoing() if one.channel == "email")
        async with city.database.write() as connection:
            before = [replace(mail, id=f"nt-{n:03}", due_at=mail.due_at - 60) for n in range(100)]
            await store.add(connection, before)
        sending = asyncio.create_task(made.deliver())
        async with asyncio.timeout(15):
            while not there.posts:
                assert not sending.done()
                await asyncio.sleep(0.02)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        made.book.settings = replace(made.book.settings, routes=())
        await made.close()

    run(tmp_path, story)


def test_what_cannot_be_written_down_is_not_sent_again(tmp_path: Path) -> None:
    """The letter has gone out, and the disk refuses to remember it."""

    async def story(city: Bench, box: Mailbox, there: Receiver) -> None:
        await city.tells(box.port, TEAM)
        await power_cut(city)
        async with city.database.write() as connection:
            await connection.execute(
                text("CREATE TRIGGER full BEFORE UPDATE ON notices BEGIN SELECT RAISE(ABORT, 'full'); END")
            )
        for _ in range(3):
            with pytest.raises(IntegrityError):
                await city.deliver()
        assert len(box.letters) == 1

        async with city.database.write() as connection:
            await connection.execute(text("DROP TRIGGER full"))
        await city.deliver()
        assert len(box.letters) == 1
        assert [one.state for one in await city.outgoing()] == [NoticeState.SENT]

    run(tmp_path, story)


def test_nobody_listens_and_in_the_end_it_is_given_up(tmp_path: Path) -> None:
    async def story(city: Bench, box: Mailbox, there: Receiver) -> None:
        await city.tells(1, TEAM, escalate_critical_minutes=0)
        await power_cut(city)
        for _ in range(12):
            await city.deliver()
            city.clock.now += 20_000
        await city.deliver()

        (dead,) = await city.outgoing()
        assert (dead.state, dead.code, dead.attempts) == (NoticeState.DEAD, "mail-server", 12)

    run(tmp_path, story)


def test_a_restart_sends_what_waits_and_nothing_twice(tmp_path: Path) -> None:
    async def story(city: Bench, box: Mailbox, there: Receiver) -> None:
        both = Route(id="hai", name="Hai người", channel="email", addresses=("a@city.vn", "b@city.vn"))
        await city.tells(box.port, both)
        box.recipients["b@city.vn"] = "450 4.2.1 busy"
        await power_cut(city)
        await city.deliver()
        assert [str(letter["To"]) for letter in box.letters] == ["a@city.vn"]

        box.recipients.clear()
        city = await again(city)
        await city.tells(box.port)
        await city.wait(120)
        await city.deliver()
        assert [str(letter["To"]) for letter in box.letters] == ["a@city.vn", "b@city.vn"]

    run(tmp_path, story)


def test_at_night_only_what_is_critical_wakes_anybody(tmp_path: Path) -> None:
    async def story(city: Bench, box: Mailbox, there: Receiver) -> None:
        await city.tells(box.port, EVERYTHING)
        await city.wait(NIGHT_S, step_s=30)
        city.breaks(OTHERS[0], camera=FROZEN)
        city.breaks(OTHERS[1], camera=FROZEN)
        await city.wait(150)
        city.kill(*HALL)
        await city.wait(130)
        await city.deliver()
        assert ["khẩn cấp" in subject for subject in box.subjects()] == [True]

        city.breaks(OTHERS[1])
        await city.wait(8.5 * 3_600, step_s=30)
        await city.deliver()
        assert sum("Tòa CT11" in subject for subject in box.subjects()) == 1
        assert not any("Tòa CT12" in subject for subject in box.subjects())
        dropped = [one for one in await city.outgoing() if one.state is NoticeState.DROPPED]
        assert len(dropped) == 1

    run(tmp_path, story)


def test_what_comes_and_goes_is_told_once(tmp_path: Path) -> None:
    async def story(city: Bench, box: Mailbox, there: Receiver) -> None:
        await city.tells(box.port, EVERYTHING, quiet=NEVER_QUIET, escalate_major_minutes=0)
        for _ in range(15):
            city.kill(OTHERS[0])
            await city.wait(130)
            city.revive(OTHERS[0])
            await city.wait(90)
        await city.wait(3_000)
        await city.deliver()

        assert not city.rows()
        assert len(box.letters) == 1

    run(tmp_path, story)


def test_not_acknowledged_in_time_it_goes_to_those_above(tmp_path: Path) -> None:
    async def story(city: Bench, box: Mailbox, there: Receiver) -> None:
        above = Route(
            id="truong-phong",
            name="Trưởng phòng",
            channel="email",
            addresses=("truong@city.vn",),
            escalations=True,
        )
        await city.tells(box.port, TEAM, above, quiet=NEVER_QUIET)
        await power_cut(city)
        await city.wait(1_200)
        await city.deliver()

        to = [(str(letter["To"]), str(letter["Subject"])[:40]) for letter in box.letters]
        assert [who for who, _ in to] == ["lan@city.vn", "truong@city.vn"]
        assert "chưa có người tiếp nhận" in to[1][1]

    run(tmp_path, story)


def test_each_district_has_its_own_route_and_severity(tmp_path: Path) -> None:
    async def story(city: Bench, box: Mailbox, there: Receiver) -> None:
        other = Route(
            id="quan-2", name="Quận 2", channel="email", addresses=("hoa@city.vn",), districts=("002",)
        )
        await city.tells(box.port, other, quiet=NEVER_QUIET)
        city.breaks(OTHERS[0], camera=FROZEN)
        city.kill(*HALL)
        await city.wait(200)
        assert len(city.rows()) == 2
        await city.deliver()
        assert not box.letters

        city.kill(OTHERS[1])
        await city.wait(130)
        await city.deliver()
        assert [str(letter["To"]) for letter in box.letters] == ["hoa@city.vn"]

    run(tmp_path, story)


def test_long_silent_devices_come_once_a_day(tmp_path: Path) -> None:
    async def story(city: Bench, box: Mailbox, there: Receiver) -> None:
        daily = Route(
            id="ngay", name="Hằng ngày", channel="email", addresses=("x@city.vn",), digest=True,
            least=Severity.CRITICAL,
        )  # fmt: skip
        notifier = await city.tells(box.port, daily, silent_days=1)
        city.kill(OTHERS[0])
        await city.wait(130)
        city.clock.now += 2 * 86_400
        await city.wait(10)
        await notifier.digest()
        await notifier.digest()
        await city.deliver()

        assert box.subjects() == ["[Điểm Cầu] Tổng hợp ngày: 1 thiết bị im lặng lâu, 1 sự cố chưa tiếp nhận"]
        plain = box.letters[0].get_body(("plain",))
        assert plain is not None
        assert "Ki-ốt 11, Tòa CT11, Phường Số 00003, Quận 002: im lặng" in plain.get_content()

    run(tmp_path, story)


def test_a_letter_holds_nothing_that_a_person_wrote(tmp_path: Path) -> None:
    async def story(city: Bench, box: Mailbox, there: Receiver) -> None:
        await city.tells(box.port, TEAM, hook(there.url))
        name = await power_cut(city)
        await city.deliver()
        await city.incidents.act(LAN, IncidentId(name), acts.Comment(by="lan", text="Bà Tư, 0912345678"))
        row = city.only()
        note = "Bà Tư báo đã có điện"
        await city.incidents.act(LAN, IncidentId(name), acts.Close(by="lan", note=note, version=row.version))
        await city.deliver()

        told = b"".join(post.body for post in there.posts) + b"".join(
            letter.as_bytes() for letter in box.letters
        )
        assert len(box.letters) == 2
        assert "Bà Tư".encode() not in told
        assert b"0912345678" not in told
        for letter in box.letters:
            for part in letter.iter_parts():
                assert "Bà Tư" not in part.get_content()

    run(tmp_path, story)


def test_a_redirect_is_not_followed_and_gone_is_gone(tmp_path: Path) -> None:
    async def story(city: Bench, box: Mailbox, there: Receiver) -> None:
        await city.tells(box.port, hook(there.url))
        there.answers, there.location = [302], there.url + "-elsewhere"
        await power_cut(city)
        await city.deliver()

        (dead,) = await city.outgoing()
        assert (dead.state, dead.code) == (NoticeState.DEAD, "webhook-redirects")
        assert len(there.posts) == 1

    run(tmp_path, story)


def test_a_test_letter_says_what_came_of_it(tmp_path: Path) -> None:
    async def story(city: Bench, box: Mailbox, there: Receiver) -> None:
        notifier = await city.tells(box.port, TEAM, hook(there.url))
        assert await notifier.try_route(TEAM) == [("lan@city.vn", "", "")]
        box.recipients["lan@city.vn"] = "550 no such mailbox"
        ((who, code, text),) = await notifier.try_route(TEAM)
        assert (who, code) == ("lan@city.vn", "mail-refused")
        assert "no such mailbox" in text
        assert await notifier.try_route(hook(there.url)) == [(f"127.0.0.1:{there.port}", "", "")]
        assert json.loads(there.posts[0].body)["type"] == "test"

    run(tmp_path, story)


def test_settings_are_checked_versioned_and_for_administrators(tmp_path: Path) -> None:
    async def story(city: Bench, box: Mailbox, there: Receiver) -> None:
        await city.tells(box.port, TEAM)
        now = city.book.settings
        with pytest.raises(NotAllowed):
            await city.book.save(HOA, now)
        with pytest.raises(Stale):
            await city.book.save(QUAN, replace(now, version=now.version + 1))
        for bad in (
            hook("ftp://example.vn/"),
            hook("https://user:pw@example.vn/"),
            hook("http://169.254.169.254/latest"),
            hook("https://[fe80::1]/"),
            hook("", addresses=("a@b.vn",)),
            Route(id="x", name="x", channel="email"),
        ):
            with pytest.raises(Invalid):
                await city.book.save(QUAN, replace(now, routes=(bad,)))
        with pytest.raises(Invalid):
            await city.book.save(QUAN, replace(now, routes=(TEAM, TEAM)))
        with pytest.raises(UnknownRoute):
            await city.book.new_secret(QUAN, TEAM.id)
        assert city.book.settings == now

    run(tmp_path, story)
