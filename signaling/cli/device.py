"""``diemcau agent``, ``probe``, ``simulate``: the device's own commands, listed here, done by its package.

Nobody on this side knows the device, so this process becomes the device's: same pid, same signals.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Final

from signaling.cli.subcommands import Commands, add_command

HANDED_OVER: Final = {
    "agent": "the agent of a kiosk: enrols, shows the page, tells its health, carries out orders",
    "probe": "an agent without a screen of its own, for the PC of a bridge point",
    "simulate": "hundreds of kiosks that do not exist, with faults, for demonstrations and measurements",
}


def add_to(commands: Commands) -> None:
    """Make them known; their arguments are the device's affair (``diemcau agent --help``)."""
    for name, about in HANDED_OVER.items():
        add_command(commands, name, about).set_defaults(run=_never)


def hand_over(arguments: Sequence[str]) -> None:
    """Returns only if these words are for somebody else."""
    if arguments and arguments[0] in HANDED_OVER:
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-m", "kiosk_client", *arguments])  # noqa: S606


def _never(chosen: argparse.Namespace) -> None:
    raise AssertionError("the device's commands are handed over before anything is parsed")
