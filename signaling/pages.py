"""The built pages. Which files there are is looked up once, so no path of a client is ever joined to ours."""

import mimetypes
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
    """``/`` and ``/m/<meeting>`` are one page; hashed assets are kept by browsers for ever."""
    files = _files(static)
    index = static / "index.html"

    async def page(request: Request) -> Response:
        if not index.is_file():
            return PlainTextResponse(NOT_BUILT, 503)
        return FileResponse(index, headers={"cache-control": "no-cache"})

    async def file(request: Request) -> Response:
        name = request.scope["path"].removeprefix("/")
        found = files.get(name)
        if found is None:
            files.update(_files(static))  # built after we started
            found = files.get(name)
        if found is None:
            return PlainTextResponse("There is no such file.\n", 404)
        kept = FOR_EVER if name.startswith("assets/") else "no-cache"
        return FileResponse(found, headers={"cache-control": kept})

    return [
        Route("/", page, methods=["GET"]),
        Route("/m/{meeting}", page, methods=["GET"]),
        Route("/assets/{file:path}", file, methods=["GET"]),
        Route("/{file}", file, methods=["GET"]),
    ]


def _files(static: Path) -> dict[str, Path]:
    if not static.is_dir():
        return {}
    return {str(path.relative_to(static)): path for path in static.rglob("*") if path.is_file()}
