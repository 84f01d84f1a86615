"""The built pages. Which files there are is looked up beforehand: no path of a client is joined to ours."""

import mimetypes
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

FOR_EVER: Final = "public, max-age=31536000, immutable"
NOT_BUILT: Final = "The pages are not built yet. Run `make web` (or `make run`), then load this page again.\n"

mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("application/manifest+json", ".webmanifest")


def page_routes(static: Path) -> list[BaseRoute]:
    """``/`` and ``/m/<meeting>`` are one page, ``/fleet/…`` another; browsers keep hashed assets for ever."""
    files = Files(static)

    def page(name: str) -> Callable[[Request], Awaitable[Response]]:
        index = static / name

        async def answer(request: Request) -> Response:
            if not index.is_file():
                return PlainTextResponse(NOT_BUILT, 503)
            return FileResponse(index, headers={"cache-control": "no-cache"})

        return answer

    async def file(request: Request) -> Response:
        name = request.scope["path"].removeprefix("/")
        found = files.find(name)
        if found is None:
            return PlainTextResponse("There is no such file.\n", 404)
        kept = FOR_EVER if name.startswith("assets/") else "no-cache"
        return FileResponse(found, headers={"cache-control": kept})

    return [
        Route("/", page("index.html"), methods=["GET"]),
        Route("/m/{meeting}", page("index.html"), methods=["GET"]),
        Route("/fleet/bridge", page("bridge.html"), methods=["GET"]),
        Route("/fleet", page("fleet.html"), methods=["GET"]),
        Route("/fleet/{rest:path}", page("fleet.html"), methods=["GET"]),
        Route("/assets/{file:path}", file, methods=["GET"]),
        Route("/{file}", file, methods=["GET"]),
    ]


class Files:
    """The files of a folder. It is walked at the start, and again only if it was built anew since."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._built_at = self._changed_at()
        self._files = self._walk()

    def find(self, name: str) -> Path | None:
        """The file of this name, as a path below the folder with ``/`` between its parts."""
        found = self._files.get(name)
        if found is None and (built_at := self._changed_at()) != self._built_at:
            self._built_at = built_at
            self._files = self._walk()
            found = self._files.get(name)
        return found

    def _changed_at(self) -> tuple[int, ...]:
        """When a file came or went at the top or among the assets; a build changes both."""
        folders = (self._folder, self._folder / "assets")
        return tuple(folder.stat().st_mtime_ns if folder.is_dir() else 0 for folder in folders)

    def _walk(self) -> dict[str, Path]:
        if not self._folder.is_dir():
            return {}
        found = (path for path in self._folder.rglob("*") if path.is_file())
        return {path.relative_to(self._folder).as_posix(): path for path in found}
