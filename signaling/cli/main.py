"""Reads the words after ``diemcau`` and calls the command they name."""

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from signaling.cli import audit, bundle, demo, device, meeting, recording, roster, serve, user
from signaling.cli.failure import Bad, Failed
from signaling.process import keep_files_private

ABOUT = "Official online meetings between a city hall and hundreds of wards (điểm cầu)."
EXAMPLES = """\
examples:
  diemcau demo                          a living meeting on this machine, links printed
  diemcau demo --sites 579 --lan        the whole city, and pages that other machines can open
  diemcau roster import wards.csv       who is expected, from a CSV file
  diemcau user add binh --role chair    an account for city hall
  diemcau meeting add "Giao ban"        a meeting, and with `meeting link` its links
  diemcau serve --port 8080             the server itself
  diemcau agent --server https://…      what runs on a kiosk
"""
COMMANDS = (serve, demo, meeting, recording, roster, user, device, audit, bundle)


class Parser(argparse.ArgumentParser):
    """As argparse, but what is wrong is told in one line, without the usage around it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def parser() -> argparse.ArgumentParser:
    """Every command with its arguments."""
    root = Parser(
        prog="diemcau",
        description=ABOUT,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = root.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_to(commands)
    return root


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. 0: done; 2: bad input; 1: the machine did not let us; 130: interrupted."""
    device.hand_over(sys.argv[1:] if arguments is None else arguments)
    chosen = parser().parse_args(arguments)
    keep_files_private()
    try:
        chosen.run(chosen)
    except Bad as bad:
        return _say(2, str(bad))
    except Failed as failed:
        return _say(1, str(failed))
    except KeyboardInterrupt:
        return 130
    return 0


def _say(code: int, text: str) -> int:
    print(f"diemcau: {' '.join(text.split())}", file=sys.stderr)
    return code
