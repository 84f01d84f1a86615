"""REST for recordings: the list, a file, its end. For the chair and the secretary of that meeting.

A window in the meeting asks with its bearer token, a page outside it with the log-in's cookie. A browser
downloads by following an address, where it sends no token: so a window first asks for a *pass*, a cookie that
opens this one file for an hour, and no longer than what it was given for.
"""

import asyncio
import logging
import os
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from room_manager.errors import Busy, DomainError, NotAllowed
from room_manager.ids import RoomId
from room_manager.meeting.values import Role
from room_manager.recording.archive import Archive
from room_manager.recordist import Recordist
from room_manager.roster.folding import fold
from room_manager.store.recordings import RecordingRow, RecordingState
from room_manager.store.stores import Stores
from signaling.auth import SAFE_METHODS, Logins, check_origin, limit_questions, window
from signaling.edge import Edge
from signaling.tokens import Identity
from signaling.wire import rest

PASS: Final = "diemcau-recording"  # noqa: S105 - the cookie's name
PASS_LASTS_S: Final = 3_600
MAX_PASSES: Final = 1_000
MAX_NAME_CHARS: Final = 80
LISTENERS: Final = frozenset({Role.CHAIR, Role.SECRETARY})
ZONE: Final = ZoneInfo("Asia/Ho_Chi_Minh")
MEDIA_TYPES: Final = {".webm": "video/webm", ".mkv": "video/matroska"}

audit = logging.getLogger("diemcau.audit")


class UnknownRecording(DomainError):
    """This meeting has no such recording."""

    code: ClassVar[str] = "unknown-recording"


class StillRecording(DomainError):
    """The file is not finished yet."""

    code: ClassVar[str] = "still-recording"


class Asker(Struct, frozen=True):
    """Who asks, and for which meeting."""

    meeting: RoomId
    name: str  # as city hall knows them
    credential: str  # a link or a log-in, for limits and the audit
    standing: Identity  # what it stands on: a window in the meeting, or a log-in outside it
    account: str | None  # outside the meeting


class Passes:
    """Downloads that were allowed: one file each, for an hour, in memory."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._open: dict[str, tuple[float, str, Asker]] = {}

    def issue(self, recording: str, who: Asker) -> str:
        """The pass of this credential for this recording, for another hour.

        Raises ``Busy`` if far too many are open.
        """
        now = self._monotonic()
        for token, (_, known, holder) in self._open.items():
            if (known, holder.credential) == (recording, who.credential):
                del self._open[token]
                self._open[token] = (now + PASS_LASTS_S, recording, who)
                return token
        for token, (until, _, _) in list(self._open.items())[:64]:  # the oldest are first
            if until <= now:
                del self._open[token]
        if len(self._open) >= MAX_PASSES:
            raise Busy("too many downloads were asked for; try again later")
        token = secrets.token_urlsafe(24)
        self._open[token] = (now + PASS_LASTS_S, recording, who)
        return token

    def holder(self, token: str | None, recording: str) -> Asker | None:
        """Who was given this pass, if it is for this recording and not too old."""
        found = self._open.get(token or "")
        if found is None or found[1] != recording or found[0] <= self._monotonic():
            return None
        return found[2]


class RecordingsApi:
    """The routes, over one edge and its archive."""

    def __init__(self, edge: Edge, stores: Stores, archive: Archive, recordist: Recordist | None) -> None:
        self._edge = edge
        self._stores = stores
        self._archive = archive
        self._recordist = recordist
        self._logins = Logins(edge, stores)
        self._passes = Passes(edge.monotonic)

    async def list(self, request: Request) -> Response:
        """Every recording of the meeting, the newest first, those that are deleted too."""
        who = await self._asker(request)
        rows = await self._stores.recordings.list(who.meeting)
        told = tuple(self._told(row) for row in rows)
        return _json(rest.RecordingsAnswer(self._archive.keep_days, told))

    async def allow(self, request: Request) -> Response:
        """A pass for the browser's own download."""
        who = await self._asker(request)
        row = await self._row(request, who.meeting)
        self._file(row)
        response = Response(status_code=204)
        response.set_cookie(
            PASS,
            self._passes.issue(row.id, who),
            max_age=PASS_LASTS_S,
            path=_path(row),
            secure=self._edge.settings.secure,
            httponly=True,
            samesite="strict",
        )
        return response

    async def download(self, request: Request) -> Response:
        """The file, or the part of it that ``Range`` names (RFC 9110, section 14)."""
        meeting = RoomId(request.path_params["meeting"])
        recording: str = request.path_params["recording"]
        shown = request.cookies.get(PASS) if "authorization" not in request.headers else None
        who = self._passes.holder(shown, recording)
        if who is None or who.meeting != meeting:
            who = await self._asker(request)
        else:
            await self._check_still(who)
        row = await self._row(request, meeting)
        path = self._file(row)
        try:
            found = await asyncio.to_thread(os.stat, path)
        except FileNotFoundError:
            raise UnknownRecording("the file is gone") from None
        title = (await self._stores.meetings.get(meeting)).title
        name = file_name(title, row.started_at, path.suffix)
        part = " (part)" if "range" in request.headers else ""
        audit.info("> recording %s of %s: to %s%s", row.id, meeting, who.credential, part)
        return FileResponse(
            path,
            media_type=MEDIA_TYPES.get(path.suffix),
            stat_result=found,
            headers={"content-disposition": disposition(name), "cache-control": "private, no-cache"},
        )

    async def delete(self, request: Request) -> Response:
        """The file is gone for good; the list says by whom."""
        who = await self._asker(request)
        row = await self._row(request, who.meeting)
        if row.state is RecordingState.RECORDING:
            raise StillRecording("this recording is still being written; stop it first")
        if row.state is RecordingState.READY:
            audit.info("- recording %s of %s: deletion asked by %s", row.id, row.room, who.credential)
            await self._archive.delete(row, who.name)
        return Response(status_code=204)

    # --- inside ---

    async def _asker(self, request: Request) -> Asker:
        """Raises ``NotAllowed`` for whoever is neither chair nor secretary of this meeting."""
        meeting = RoomId(request.path_params["meeting"])
        if "authorization" in request.headers:
            if request.method not in SAFE_METHODS:
                check_origin(self._edge, request)
            who = await window(self._edge, request, meeting)
            role: Role | None = who.role
            asker = Asker(meeting, who.name or who.role.value, who.credential, who, None)
        else:
            login, account = await self._logins.current(request)
            role = await self._stores.accounts.role_in(meeting, account.name)
            by = Identity(
                meeting=meeting,
                role=role or Role.OBSERVER,
                site=None,
                device=None,
                name=account.display_name,
                account=account.name,
                login=login.token_hash.hex(),
            )
            asker = Asker(meeting, by.name, by.credential, by, account.name)
        if role not in LISTENERS:
            raise NotAllowed("recordings are for the chair and the secretary")
        return asker

    async def _check_still(self, who: Asker) -> None:
        """What a pass was given for still holds. Raises what a fallen window raises, or ``NotAllowed``."""
        limit_questions(self._edge, who.credential)
        await self._edge.standing.check(who.standing)
        if who.account is None:
            return
        if await self._stores.accounts.role_in(who.meeting, who.account) not in LISTENERS:
            raise NotAllowed("recordings are for the chair and the secretary")

    async def _row(self, request: Request, meeting: RoomId) -> RecordingRow:
        row = await self._stores.recordings.get(meeting, request.path_params["recording"])
        if row is None:
            raise UnknownRecording("this meeting has no such recording")
        return row

    def _file(self, row: RecordingRow) -> Path:
        path = self._archive.path(row)
        if path is None:
            if row.state is RecordingState.RECORDING:
                raise StillRecording("this recording is still being written")
            raise UnknownRecording("this recording is deleted")
        return path

    def _told(self, row: RecordingRow) -> rest.RecordingInfo:
        size_bytes, duration_s = row.size_bytes, row.duration_s
        if row.state is RecordingState.RECORDING and self._recordist is not None:
            progress = self._recordist.progress(row.room)
            if progress is not None and progress.name.startswith(row.id):
                size_bytes, duration_s = progress.size_bytes, progress.duration_s
        return rest.RecordingInfo(
            id=row.id,
            state=row.state.value,
            started_at=row.started_at.timestamp(),
            duration_s=duration_s,
            size_bytes=size_bytes,
            mended=row.mended,
            deleted_at=row.deleted_at.timestamp() if row.deleted_at is not None else None,
            deleted_by=row.deleted_by,
        )


def file_name(title: str, started_at: datetime, suffix: str) -> str:
    """What the file is called on the disk of whoever downloads it: the title, and when, in Hà Nội."""
    kept = "".join(char if char.isalnum() or char in " -_.,()" else " " for char in title)
    short = " ".join(kept.split())[:MAX_NAME_CHARS].strip(" .") or "cuộc họp"
    return f"{short} {started_at.astimezone(ZONE):%Y-%m-%d %Hh%M}{suffix}"


def disposition(name: str) -> str:
    """``Content-Disposition`` with the name as it is, and in ASCII for old clients (RFC 6266, section 5)."""
    stem, _, suffix = name.rpartition(".")
    plain = f"{fold(stem) or 'recording'}.{suffix}"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


Endpoint = Callable[[RecordingsApi, Request], Awaitable[Response]]
_ONE: Final = "/api/meetings/{meeting}/recordings/{recording}"

ROUTES: Final[tuple[tuple[str, str, Endpoint], ...]] = (
    ("GET", "/api/meetings/{meeting}/recordings", RecordingsApi.list),
    ("GET", _ONE, RecordingsApi.download),
    ("POST", f"{_ONE}/pass", RecordingsApi.allow),
    ("DELETE", _ONE, RecordingsApi.delete),
)


def recording_routes() -> list[BaseRoute]:
    """The routes; the :class:`RecordingsApi` is the application's, made when it starts."""

    def bound(endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        async def call(request: Request) -> Response:
            api: RecordingsApi | None = getattr(request.app.state, "recordings", None)
            if api is None:
                return _json(rest.ErrorBody("busy", "the server is starting"), 503)
            return await endpoint(api, request)

        return call

    return [Route(path, bound(endpoint), methods=[method]) for method, path, endpoint in ROUTES]


def _path(row: RecordingRow) -> str:
    return _ONE.format(meeting=row.room, recording=row.id)


def _json(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(value), status, headers, media_type="application/json")
