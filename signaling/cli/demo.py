"""``diemcau demo``: a living meeting on this machine, for whoever wants to see one."""

import argparse
import asyncio
import datetime as dt
from pathlib import Path
from typing import Final

import uvloop
from msgspec import Struct

from signaling.cli import lan
from signaling.cli.failure import Bad, Failed
from signaling.cli.fleet_demo import prepare_device, real_agent, simulated_kiosks
from signaling.cli.preparation import Prepared, prepare
from signaling.cli.running import check_port_free, run_server, simulating
from signaling.cli.settings_from import DEFAULT_PORT, database_url
from signaling.cli.subcommands import Commands, add_command
from signaling.settings import FleetSettings, MediaSettings, Settings
from signaling.simulate.job import Job

LOOPBACK: Final = "127.0.0.1"
EVERY_ADDRESS: Final = "0.0.0.0"  # noqa: S104 - media must be reachable where the pages are
MOST_SITES: Final = 579
DEFAULT_SITES: Final = 40
MOST_KIOSKS: Final = 1000
DEFAULT_KIOSKS: Final = 60
DEMO_BEAT_S: Final = 5.0  # whoever tries it will not wait for half a minute

EXAMPLES: Final = """\
examples:
  diemcau demo                     then open two of the printed links in two windows
  diemcau demo --sites 579         the whole city
  diemcau demo --lan               for other machines in the network too
"""


class Addresses(Struct, frozen=True):
    """Where the demo is found, the address to use on this machine first."""

    urls: tuple[str, ...]
    media: tuple[str, ...]
    certificate: lan.Certificate | None


def add_to(commands: Commands) -> None:
    """Make ``diemcau demo`` known."""
    command = add_command(
        commands,
        "demo",
        "run a meeting of Hà Nội's 579 units with simulated sites in it, and print links to enter",
        EXAMPLES,
    )
    command.add_argument(
        "--sites",
        type=int,
        default=DEFAULT_SITES,
        metavar="N",
        help=f"simulated sites (default: {DEFAULT_SITES})",
    )
    command.add_argument("--port", type=int, default=DEFAULT_PORT, metavar="N", help="default: 8080")
    command.add_argument(
        "--db", type=Path, default=Path("var/demo.db"), metavar="FILE", help="default: var/demo.db"
    )
    command.add_argument(
        "--lan", action="store_true", help="pages for other machines: https with a certificate made here"
    )
    command.add_argument("--no-simulate", action="store_true", help="nobody but those who open the links")
    command.add_argument(
        "--kiosks",
        type=int,
        default=DEFAULT_KIOSKS,
        metavar="N",
        help=f"simulated kiosks (default: {DEFAULT_KIOSKS})",
    )
    command.add_argument("--no-kiosk", action="store_true", help="no agent of a kiosk on this machine")
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> None:
    """Until Ctrl-C."""
    if not 0 <= chosen.sites <= MOST_SITES:
        raise Bad(f"--sites: from 0 to {MOST_SITES}, not {chosen.sites}")
    if not 0 <= chosen.kiosks <= MOST_KIOSKS:
        raise Bad(f"--kiosks: from 0 to {MOST_KIOSKS}, not {chosen.kiosks}")
    if not 1 <= chosen.port <= 65_535:
        raise Bad(f"--port: from 1 to 65535, not {chosen.port}")
    host = EVERY_ADDRESS if chosen.lan else LOOPBACK
    check_port_free(host, chosen.port)
    addresses = _for_the_network(chosen) if chosen.lan else _for_this_machine(chosen)
    settings = Settings(
        database_url=database_url(chosen.db),
        host=host,
        port=chosen.port,
        public_origins=addresses.urls if chosen.lan else (),
        known_networks=("127.0.0.0/8",),  # where all simulated sites come from
        allowed_hosts=("localhost",),
        tls_certificate=addresses.certificate.certificate if addresses.certificate else None,
        tls_key=addresses.certificate.key if addresses.certificate else None,
        media=MediaSettings(host=EVERY_ADDRESS, advertised=addresses.media),
        fleet=FleetSettings(beat_every_s=DEMO_BEAT_S),
    )
    sites = 0 if chosen.no_simulate else chosen.sites
    kiosk = None if chosen.no_kiosk else chosen.db.absolute().parent / "demo-kiosk"
    kiosks = 0 if chosen.no_simulate or chosen.no_kiosk else chosen.kiosks
    uvloop.run(_run(settings, addresses, chosen.db, sites, kiosk, kiosks))


async def _run(
    settings: Settings, addresses: Addresses, db: Path, sites: int, kiosk: Path | None, kiosks: int
) -> None:
    fingerprint = await prepare_device(kiosk) if kiosk is not None else None
    prepared = await prepare(db, addresses.urls[0], sites, fingerprint)
    job = Job(
        url=f"{'https' if settings.tls_certificate else 'http'}://{LOOPBACK}:{settings.port}",
        certificate=str(settings.tls_certificate) if settings.tls_certificate else None,
        places=prepared.places,
        seed=settings.port,
    )

    async def meanwhile() -> None:
        print(welcome(prepared, addresses, kiosks), flush=True)
        async with asyncio.TaskGroup() as beside:
            if prepared.places:
                beside.create_task(simulating(job))
            if kiosk is not None:
                beside.create_task(real_agent(job.url, job.certificate, kiosk))
            if kiosk is not None and prepared.fleet is not None and kiosks:
                beside.create_task(simulated_kiosks(job.url, job.certificate, kiosk, prepared.fleet, kiosks))

    await run_server(settings, meanwhile)


def _for_this_machine(chosen: argparse.Namespace) -> Addresses:
    # Firefox sends no media to loopback, so the network's addresses are offered as well where there are any.
    return Addresses((f"http://localhost:{chosen.port}",), (LOOPBACK, *lan.addresses()[:1]), None)


def _for_the_network(chosen: argparse.Namespace) -> Addresses:
    found = lan.addresses()
    if not found:
        raise Failed("--lan: this machine has no address that others could reach")
    certificate = lan.certificate(chosen.db.parent, found, dt.datetime.now(dt.UTC))
    urls = tuple(f"https://{host}:{chosen.port}" for host in (*found, "localhost"))
    return Addresses(urls, (LOOPBACK, *found), certificate)


def welcome(prepared: Prepared, addresses: Addresses, kiosks: int) -> str:
    """What a newcomer reads: what to open, in which window, and what the browser will ask."""
    first = addresses.urls[0]
    lines = [
        "",
        "  Điểm Cầu · bản dùng thử / demo",
        "",
        "  Chủ tọa / chair:",
        f"    {prepared.chair}",
        "  Kỹ thuật viên / operator:",
        f"    {prepared.operator}",
        "  Điểm cầu Phường Trúc Bạch / ward:",
        f"    {prepared.ward}",
        "",
        "  Mở đường dẫn chủ tọa và đường dẫn điểm cầu trong hai cửa sổ trình duyệt, cho phép camera, micrô.",
        "  Open the chair's and the ward's link in two browser windows; allow camera and microphone.",
        f"  Điểm cầu mô phỏng / simulated sites: {len(prepared.places)}",
    ]
    if prepared.fleet is not None:
        lines += [
            "",
            "  Thiết bị / devices:",
            f"    {first}/fleet",
            f"    tài khoản / account: {prepared.fleet.account}",
            f"    mật khẩu / password: {prepared.fleet.password}",
            f"  Ki-ốt thật trên máy này: 1; mô phỏng: {kiosks} / a real kiosk here, simulated ones: {kiosks}",
        ]
    if addresses.certificate is not None:
        lines += [
            "",
            "  Máy này tự ký chứng chỉ: trình duyệt sẽ cảnh báo một lần; chọn “Nâng cao”, rồi “Tiếp tục”.",
            "  This machine signs its own certificate: the browser warns once; “Advanced”, then “Proceed”.",
        ]
        others = [url for url in addresses.urls if url != first]
        lines.append(f"  Cũng mở được tại / also at: {', '.join(others)}")
    lines += ["", "  Ctrl-C: dừng / stop", ""]
    return "\n".join(lines)
