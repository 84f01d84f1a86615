"""The device's commands: what is said on the command line, and what that starts."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

from kiosk_client import config as configs
from kiosk_client.errors import AgentError
from kiosk_client.simulate import arguments
from signaling.wire.kiosk.words import DeviceKind

OWNER_ONLY: Final = 0o077
AGENT: Final = "the agent of a kiosk: enrols, shows the page, tells its health, carries out orders"
PROBE: Final = "an agent without a screen of its own, for the PC of a bridge point"
SIMULATE: Final = "hundreds of kiosks that do not exist, with faults, for demonstrations and measurements"
EXAMPLES: Final = """\
examples:
  diemcau agent --server https://diemcau.example --state /var/lib/diemcau-kiosk
  diemcau agent --server http://localhost:8080 --state var/kiosk --camera film.mp4
  diemcau probe --server https://diemcau.example --state ~/.local/state/diemcau

Each setting may also stand in a TOML file (--config) or in DIEMCAU_AGENT_… of the environment.
"""


class Parser(argparse.ArgumentParser):
    """As argparse, but what is wrong is told in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def parser() -> argparse.ArgumentParser:
    """Every command with its arguments."""
    root = Parser(prog="diemcau", description="The device's side of the fleet.")
    commands = root.add_subparsers(metavar="COMMAND", required=True, dest="command")
    for name, about in (("agent", AGENT), ("probe", PROBE)):
        command = commands.add_parser(
            name,
            help=about,
            description=about[0].upper() + about[1:] + ".",
            epilog=EXAMPLES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        _add_settings(command, with_screen=name == "agent")
    simulate = commands.add_parser(
        "simulate",
        help=SIMULATE,
        description=SIMULATE[0].upper() + SIMULATE[1:] + ".",
        epilog=arguments.EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    arguments.add_arguments(simulate)
    return root


def _add_settings(command: argparse.ArgumentParser, with_screen: bool) -> None:
    say = command.add_argument
    say("--config", metavar="FILE", help="settings in TOML; what is said here goes before")
    say("--server", metavar="URL", help="the city's address")
    say("--state", metavar="DIR", help="the device's own folder: key, identity, what waits to be told")
    say("--ca", metavar="FILE", help="a certificate to trust beside the system's")
    say("--camera", metavar="PATH", help="a camera or a film; none: no camera (default: the first one)")
    say("--hardware", metavar="TEXT", help="what staff recognise it by (default: model and serial)")
    say("--allow-reboot", action="store_true", default=None, help="the city may restart this machine")
    say("--fingerprint", action="store_true", help="make the key, print its fingerprint and words, and end")
    say("--verbose", action="store_true", default=None, help="the log on standard error, all of it")
    if with_screen:
        say("--browser", metavar="PATH", help="Chromium; none: show no page (default: the one installed)")
        say("--content", metavar="DIR", help="show this content until the city has given some")
        say(
            "--window", action="store_true", default=None, help="in a small window, not over the whole screen"
        )
        say("--headless", action="store_true", default=None, help="without any screen")
        say("--no-updates", action="store_false", dest="updates", default=None, help="install nothing")


def main(words: Sequence[str] | None = None) -> int:
    """0: ended in good order; 2: bad input; 1: this machine did not let us; 130: interrupted."""
    os.umask(OWNER_ONLY)
    chosen = vars(parser().parse_args(words))
    command = chosen.pop("command")
    try:
        if command == "simulate":
            from kiosk_client.simulate import job

            return job.run(chosen)
        from kiosk_client import running  # the libraries of a whole agent are not for --help

        kind = DeviceKind.KIOSK if command == "agent" else DeviceKind.BRIDGE_POINT
        only_fingerprint = chosen.pop("fingerprint")
        config = configs.from_process(chosen.pop("config"), chosen)
        if only_fingerprint:
            print(running.fingerprint(config))
            return 0
        return running.run(config, kind)
    except configs.BadConfig as error:
        return _say(2, str(error))
    except AgentError as error:
        return _say(1, f"{error.code}: {error}")
    except KeyboardInterrupt:
        return 130


def _say(code: int, text: str) -> int:
    print(f"diemcau: {' '.join(text.split())}", file=sys.stderr)
    return code
