"""``diemcau serve``: the server itself."""

import argparse
import asyncio
from typing import Final

import uvloop

from signaling.cli.running import check_port_free, run_server
from signaling.cli.settings_from import add_flags, settings_from
from signaling.cli.storage import check
from signaling.cli.subcommands import Commands, add_command

EXAMPLES: Final = """\
Every flag may be an environment variable instead, named in brackets; a flag wins.

examples:
  diemcau serve                                     for this machine only
  diemcau serve --origin https://meet.example.gov.vn --trusted-proxies 127.0.0.1
                --media-address 203.0.113.10 --media-port 5004
                                                    behind a proxy on this machine that ends TLS
  diemcau serve --host 0.0.0.0 --certificate fullchain.pem --key key.pem --media-address 203.0.113.10
                                                    without a proxy

Keys that sign links and sessions are made at the first start and kept in the database: none has a default.
"""


def add_to(commands: Commands) -> None:
    """Make ``diemcau serve`` known."""
    command = add_command(commands, "serve", "run the server until SIGTERM or Ctrl-C", EXAMPLES)
    add_flags(command)
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> None:
    """Serve until told to stop."""
    settings = settings_from(chosen)
    check_port_free(settings.host, settings.port)
    asyncio.run(check(settings.database_url))
    uvloop.run(run_server(settings))
