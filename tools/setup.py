"""Make a fresh clone ready: ``python3 tools/setup.py run | test``.

Standard library only, since nothing is installed yet. Every step is skipped when the files it is made
from have not changed, so a second run costs a fraction of a second. What cannot be had is one clear line.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - told in one line, before pip tells it in many
    sys.exit(f"setup: Python 3.11 or newer is needed, this is {sys.version.split()[0]}")

import browsers
import debian
import interop_clients
import python_env
import web_build
from steps import Missing, say

PURPOSES = ("run", "test")


def main(arguments: list[str]) -> int:
    """Set up for one purpose; 0 when everything needed is there."""
    if len(arguments) != 1 or arguments[0] not in PURPOSES:
        print(f"usage: setup.py {' | '.join(PURPOSES)}", file=sys.stderr)
        return 2
    testing = arguments[0] == "test"
    try:
        python_env.ensure(dev=testing)
        web_build.ensure(dev=testing)
        if testing:
            browsers.ensure()
            debian.ensure()
            interop_clients.ensure()
    except Missing as missing:
        print(f"setup: {missing}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("stopped")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
