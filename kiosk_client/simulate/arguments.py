"""What ``diemcau simulate`` takes on the command line."""

import argparse
from typing import Final

PASSWORD: Final = "DIEMCAU_SIMULATE_PASSWORD"  # noqa: S105 - the name of the variable, not what is in it


def add_arguments(command: argparse.ArgumentParser) -> None:
    """What ``simulate`` takes."""
    say = command.add_argument
    say("what", choices=("kiosks",))
    say("-n", "--number", type=int, default=100, metavar="N", help="how many (default: 100)")
    say("--server", required=True, metavar="URL", help="the city's address")
    say("--account", required=True, metavar="NAME", help="an administrator of the fleet, who expects them")
    say("--faults", metavar="FILE", help="a script of faults, TOML (see benchmarks/faults)")
    say("--seed", type=int, default=1, metavar="N", help="the same seed: the same keys, places and faults")
    say("--ca", metavar="FILE", help="a certificate to trust beside the system's")
    say(
        "--per-second", type=float, default=50.0, metavar="N", help="how many start each second (default: 50)"
    )
    say("--busy", type=float, default=1.0, metavar="X", help="residents, of the usual number (default: 1)")
    say("--tell", metavar="FILE", help="write what happens as JSON lines; - for standard output")


EXAMPLES: Final = f"""\
examples:
  {PASSWORD}=… diemcau simulate kiosks -n 1000 --server http://localhost:8080 --account an
  … --faults benchmarks/faults/half-a-district.toml

The account's password is read from {PASSWORD}, else from standard input. Devices that were
let in before, under the same seed, come back as themselves if the city still knows them.
"""
