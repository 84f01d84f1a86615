"""Recordings over real HTTP: who may list, fetch and delete them, and what a download is called."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from room_manager.meeting.values import Role
from room_manager.recording.archive import RETENTION
from room_manager.store.recordings import RecordingState
from signaling.recordings import disposition, file_name
from signaling.settings import RecordingSettings
from tests.helpers.recordings import BODY, STARTED, archive_of, put
from tests.helpers.servers import A, Hall, hall, settings
from tests.signaling.test_rest import add_account, bearer, browser, log_in


def path(here: Hall, recording: str = "", rest: str = "") -> str:
    return f"/api/meetings/{here.meeting}/recordings" + (f"/{recording}" if recording else "") + rest


def test_chair_and_secretary_see_the_list_and_nobody_else_does(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here, browser(here) as page:
            await put(here, "r1")
            statuses = {}
            for role in (Role.CHAIR, Role.SECRETARY, Role.OPERATOR, Role.SITE, Role.OBSERVER):
                member = await here.enter(role, A if role is Role.SITE else None)
                found = [
                    await page.get(path(here), headers=bearer(member)),
                    await page.get(path(here, "r1"), headers=bearer(member)),
                    await page.post(path(here, "r1", "/pass"), headers=bearer(member)),
                ]
                statuses[role] = [answer.status_code for answer in found]
            assert statuses == {
                Role.CHAIR: [200, 200, 204],
                Role.SECRETARY: [200, 200, 204],
                Role.OPERATOR: [403, 403, 403],
                Role.SITE: [403, 403, 403],
                Role.OBSERVER: [403, 403, 403],
            }
            page.cookies.clear()
            assert (await page.get(path(here))).status_code == 401
            chair = await here.enter(Role.CHAIR)
            [row] = (await page.get(path(here), headers=bearer(chair))).json()["recordings"]
            assert (row["id"], row["state"], row["duration_s"], row["size_bytes"]) == (
                "r1",
                "ready",
                600.0,
                len(BODY),
            )
            assert row["started_at"] == STARTED.timestamp()
            other = await page.get(path(here).replace(here.meeting, "other"), headers=bearer(chair))
            assert other.status_code == 403

    asyncio.run(scenario())


def test_a_file_is_fetched_whole_or_in_parts_under_a_name_that_says_what_it_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "diemcau.audit")

    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here, browser(here) as page:
            await put(here, "r1")
            head = bearer(await here.enter(Role.SECRETARY))

            whole = await page.get(path(here, "r1"), headers=head)
            assert whole.content == BODY
            assert whole.headers["content-type"] == "video/webm"
            assert whole.headers["x-content-type-options"] == "nosniff"
            assert whole.headers["content-disposition"] == (
                'attachment; filename="hop giao ban 2026 11 27 09h05.webm"; '
                "filename*=UTF-8''H%E1%BB%8Dp%20giao%20ban%202026-11-27%2009h05.webm"
            )

            part = await page.get(path(here, "r1"), headers={**head, "range": "bytes=100-199"})
            assert (part.status_code, part.content) == (206, BODY[100:200])
            assert part.headers["content-range"] == f"bytes 100-199/{len(BODY)}"
            tail = await page.get(path(here, "r1"), headers={**head, "range": "bytes=-10"})
            assert tail.content == BODY[-10:]
            beyond = await page.get(path(here, "r1"), headers={**head, "range": "bytes=99999999-"})
            assert beyond.status_code == 416
            assert (await page.get(path(here, "nothing"), headers=head)).json()["code"] == "unknown-recording"
            for odd in ("..%2f..%2fdiemcau.db", "%00", "r1.webm"):
                assert (await page.get(path(here, odd), headers=head)).status_code == 404

    asyncio.run(scenario())
    lines = [record.getMessage() for record in caplog.records if record.name == "diemcau.audit"]
    assert any("recording r1" in line and "link:" in line for line in lines)


def test_a_pass_opens_one_file_to_a_browser_until_what_it_was_given_for_is_gone(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here, browser(here) as page:
            await put(here, "r1")
            await put(here, "r2")
            link, _ = await here.link(Role.SECRETARY)
            secretary = await here.enter(Role.SECRETARY)
            answer = await page.post(path(here, "r1", "/pass"), headers=bearer(secretary))
            cookie = answer.headers["set-cookie"].lower()
            assert "httponly" in cookie
            assert "samesite=strict" in cookie
            assert f"path={path(here, 'r1')}".lower() in cookie

            assert (await page.get(path(here, "r1"))).content == BODY
            assert (await page.get(path(here, "r2"))).status_code == 401
            stolen = {"cookie": f"diemcau-recording={page.cookies['diemcau-recording']}"}
            async with httpx.AsyncClient(base_url=here.origin) as other:
                assert (await other.get(path(here, "r2"), headers=stolen)).status_code == 401
                assert (await other.delete(path(here, "r1"), headers=stolen)).status_code == 401

            for one in await here.stores.links.list(here.meeting, datetime.now(UTC), 0, 10, None):
                if one.id != link:
                    await here.stores.links.revoke(here.meeting, one.id, datetime.now(UTC))
                    here.edge.revoke_link(one.id)
            assert (await page.get(path(here, "r1"))).json()["code"] == "revoked"

    asyncio.run(scenario())


def test_a_pass_asked_for_again_and_again_is_one_and_ends_with_its_log_in(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here, browser(here) as page:
            await add_account(here, "binh", Role.CHAIR)
            await put(here, "r1")
            csrf = {"x-csrf-token": (await log_in(page, "binh")).json()["csrf"]}
            passes = set()
            for _ in range(3):
                assert (await page.post(path(here, "r1", "/pass"), headers=csrf)).status_code == 204
                passes.add(page.cookies["diemcau-recording"])
            assert len(passes) == 1
            shown = {"cookie": f"diemcau-recording={passes.pop()}"}
            async with httpx.AsyncClient(base_url=here.origin) as download:
                assert (await download.get(path(here, "r1"), headers=shown)).content == BODY

                assert (await page.delete("/api/session", headers=csrf)).status_code == 204

                assert (await download.get(path(here, "r1"), headers=shown)).json()["code"] == "revoked"

    asyncio.run(scenario())


def test_after_the_meeting_an_account_fetches_and_deletes_and_the_list_says_so(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here, browser(here) as page:
            await add_account(here, "binh", Role.CHAIR)
            await add_account(here, "lan", Role.OPERATOR)
            chair = await here.enter(Role.CHAIR)
            await chair.ask("end-meeting")
            file = await put(here, "r1")
            await log_in(page, "lan")
            assert (await page.get(path(here))).status_code == 403
            csrf = {"x-csrf-token": (await log_in(page, "binh")).json()["csrf"]}

            assert (await page.get(path(here, "r1"))).content == BODY
            assert (await page.delete(path(here, "r1"))).json()["code"] == "forged"
            assert file.exists()
            assert (await page.delete(path(here, "r1"), headers=csrf)).status_code == 204

            assert not file.exists()
            [row] = (await page.get(path(here))).json()["recordings"]
            assert (row["state"], row["deleted_by"]) == ("deleted", "Ông Bình")
            assert (await page.get(path(here, "r1"))).json()["code"] == "unknown-recording"
            assert (await page.delete(path(here, "r1"), headers=csrf)).status_code == 204

    asyncio.run(scenario())


def test_a_file_that_is_still_written_is_neither_given_nor_deleted(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here, browser(here) as page:
            await here.stores.recordings.begin("r1", here.meeting, STARTED)
            head = bearer(await here.enter(Role.CHAIR))
            for answer in (
                await page.get(path(here, "r1"), headers=head),
                await page.post(path(here, "r1", "/pass"), headers=head),
                await page.delete(path(here, "r1"), headers=head),
            ):
                assert (answer.status_code, answer.json()["code"]) == (409, "still-recording")

    asyncio.run(scenario())


def test_another_meetings_recording_is_not_to_be_had(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here, browser(here) as page:
            other = await here.manager.create_meeting("Họp khác", [A])
            file = await put(here, "r1", room=other)
            head = bearer(await here.enter(Role.CHAIR))
            assert (await page.get(path(here, "r1"), headers=head)).status_code == 404
            assert (await page.delete(path(here, "r1"), headers=head)).status_code == 404
            assert (await page.get(path(here), headers=head)).json()["recordings"] == []
            assert file.exists()

    asyncio.run(scenario())


def test_what_is_older_than_its_days_is_deleted_and_said_to_be(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path, recording=RecordingSettings(keep_days=30))) as here:
            now = datetime.now(UTC)
            old = await put(here, "old", now - timedelta(days=30, minutes=11))
            young = await put(here, "young", now - timedelta(days=29))

            await archive_of(here).expire(now)

            assert (old.exists(), young.exists()) == (False, True)
            rows = {row.id: row for row in await here.stores.recordings.list(here.meeting)}
            assert rows["old"].state is RecordingState.DELETED
            assert rows["old"].deleted_by == RETENTION
            assert rows["young"].state is RecordingState.READY

    asyncio.run(scenario())


def test_names_of_downloads_hold_nothing_that_a_header_or_a_disk_minds() -> None:
    name = file_name('Họp "khẩn"\r\n../../x: Đống Đa', STARTED, ".mkv")

    assert name == "Họp khẩn .. .. x Đống Đa 2026-11-27 09h05.mkv"
    header = disposition(name)
    assert header.isascii()
    assert header.startswith('attachment; filename="hop khan x dong da 2026 11 27 09h05.mkv"; ')
    assert file_name("///", STARTED, ".webm") == "cuộc họp 2026-11-27 09h05.webm"
    assert len(file_name("đ" * 500, STARTED, ".webm")) < 110
