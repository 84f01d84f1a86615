"""``diemcau meeting``: plan a meeting and give out the links that open it."""

import argparse
import asyncio
import time
from typing import Final

from room_manager.errors import DomainError
from room_manager.ids import RoomId, SiteId
from room_manager.meeting.values import Device, LinkKind, Role
from room_manager.planning import plan_meeting
from room_manager.store.journal import UnknownMeeting
from signaling.cli.failure import Bad
from signaling.cli.storage import opened
from signaling.cli.subcommands import Commands, add_command, add_db
from signaling.links import LinkFor, LinkMaker, endpoint_url, link_url, signers

HOUR_S: Final = 3600.0

EXAMPLES: Final = """\
examples:
  diemcau meeting add "Giao ban trực tuyến tháng 12"
  diemcau meeting link MEETING --role chair --origin https://meet.example.gov.vn
  diemcau meeting link MEETING --role site --site 00004 --hours 24
  diemcau meeting link MEETING --kind whip --role site --site 00004    for an encoder: its URL and its token
  diemcau meeting link MEETING --kind whep --role observer             for a player
"""


def add_to(commands: Commands) -> None:
    """Make ``diemcau meeting`` known."""
    group = add_command(commands, "meeting", "plan a meeting and give out its links", EXAMPLES)
    inner = group.add_subparsers(metavar="COMMAND", required=True)
    add = add_command(inner, "add", "plan a meeting of every unit on today's roster; prints its id", EXAMPLES)
    add.add_argument("title", metavar="TITLE", help="as everybody will read it")
    add_db(add)
    add.set_defaults(run=run_add)
    link = add_command(inner, "link", "make a link into a meeting; prints it", EXAMPLES)
    link.add_argument("meeting", metavar="MEETING", help="the id that `meeting add` printed")
    link.add_argument("--role", required=True, choices=[role.value for role in Role])
    link.add_argument(
        "--kind",
        choices=[kind.value for kind in LinkKind],
        default=LinkKind.PAGE.value,
        help="for a browser, an encoder that sends (whip) or a player that watches (whep); default: page",
    )
    link.add_argument("--site", metavar="CODE", help="for a site: which one")
    link.add_argument("--device", choices=[device.value for device in Device], default=Device.PRIMARY.value)
    link.add_argument(
        "--hours", type=float, default=24.0, help="how long the link opens the door (default: 24)"
    )
    link.add_argument("--origin", default="http://localhost:8080", metavar="URL", help="what people type")
    add_db(link)
    link.set_defaults(run=run_link)


def run_add(chosen: argparse.Namespace) -> None:
    """Print the id of the new meeting."""
    print(asyncio.run(_add(chosen)))


async def _add(chosen: argparse.Namespace) -> RoomId:
    async with opened(chosen.db) as stores:
        sites = [unit.code for unit in await stores.roster.current()]
        if not sites:
            raise Bad("the roster is empty; fill it with: diemcau roster import FILE")
        try:
            return await plan_meeting(stores, chosen.title, sites)
        except DomainError as error:
            raise Bad(f"TITLE: {error}") from None


def run_link(chosen: argparse.Namespace) -> None:
    """Print the link; for an encoder or a player its URL, and in the next line its token."""
    print(asyncio.run(_link(chosen)))


async def _link(chosen: argparse.Namespace) -> str:
    meeting = RoomId(chosen.meeting)
    site = SiteId(chosen.site) if chosen.site else None
    async with opened(chosen.db) as stores:
        try:
            expected = await stores.meetings.sites((await stores.meetings.get(meeting)).id)
        except UnknownMeeting:
            raise Bad(f"MEETING: there is no meeting {meeting}") from None
        if site is not None and site not in expected:
            raise Bad(f"--site: {site} is not expected at this meeting")
        signer, _ = await signers(stores.secrets)
        maker = LinkMaker(stores.links, signer, time.time)
        kind = LinkKind(chosen.kind)
        whom = LinkFor(Role(chosen.role), site, Device(chosen.device), kind)
        try:
            _, token = await maker.make(meeting, whom, chosen.hours * HOUR_S, by="command line")
        except DomainError as error:
            raise Bad(f"--hours, --role or --site: {error}") from None
    origin = chosen.origin.rstrip("/")
    if kind is LinkKind.PAGE:
        return link_url(origin, meeting, token)
    return f"{endpoint_url(origin, kind)}\n{token}"
