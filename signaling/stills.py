"""REST for stills: the newest picture of a site, for officials, while the meeting goes on."""

from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import ClassVar, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from room_manager.errors import DomainError, NotAllowed
from room_manager.ids import RoomId, SiteId
from room_manager.photographer import Photographer
from signaling.auth import window
from signaling.edge import Edge
from signaling.rights import OFFICIALS

PATH: Final = "/api/meetings/{meeting}/stills/{site}"


class NoStill(DomainError):
    """There is no picture of this site, or none is taken here."""

    code: ClassVar[str] = "no-still"


class StillsApi:
    """The route, over one edge and whoever takes the pictures (None: nobody)."""

    def __init__(self, edge: Edge, photographer: Photographer | None) -> None:
        self._edge = edge
        self.photographer = photographer

    async def still(self, request: Request) -> Response:
        """A JPEG. ``Last-Modified`` says when it was taken."""
        meeting = RoomId(request.path_params["meeting"])
        who = await window(self._edge, request, meeting)
        if who.role not in OFFICIALS:
            raise NotAllowed("stills are for city hall")
        site = SiteId(request.path_params["site"])
        kept = self.photographer.still(meeting, site) if self.photographer is not None else None
        if kept is None:
            raise NoStill("there is no picture of this site")
        headers = {"last-modified": formatdate(kept.at, usegmt=True)}
        return Response(kept.jpeg, headers=headers, media_type="image/jpeg")


def still_routes() -> list[BaseRoute]:
    """The route; the :class:`StillsApi` is the application's, made when it starts."""

    def bound(
        endpoint: Callable[[StillsApi, Request], Awaitable[Response]],
    ) -> Callable[..., Awaitable[Response]]:
        async def call(request: Request) -> Response:
            return await endpoint(request.app.state.stills, request)

        return call

    return [Route(PATH, bound(StillsApi.still), methods=["GET"])]
