"""Starts the agent's software that is in use, and goes back to the last good one that does not come up.

``python -m kiosk_client.updates.launch STATE -- ARGUMENTS`` is what the service manager runs, from the
installation that never changes. It must work however broken the version in use is, so it counts its starts on
the disk before each, and does nothing else.
"""

import os
import sys
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from kiosk_client.updates.runtime import LAUNCHED, MODULE, python_of
from kiosk_client.updates.shelf import Shelf

MAX_STARTS: Final = 3


def chosen(state: Path) -> Path:
    """The interpreter to start. A version on trial that was started so often without being confirmed goes."""
    shelf = Shelf(state / "updates" / "software")
    trial = shelf.trial()
    if trial is not None and not trial.gave_up and shelf.current() == trial.version:
        try:
            if trial.starts >= MAX_STARTS:
                shelf.switch_back(trial, "did-not-start")
            else:
                shelf.begin(msgspec.structs.replace(trial, starts=trial.starts + 1))
        except OSError as error:  # a full disk: better to start uncounted than not at all
            print(f"launch: {error}", file=sys.stderr)
    python = python_of(shelf.path)
    return python if os.access(python, os.X_OK) else Path(sys.executable)


def command(state: Path, arguments: list[str]) -> tuple[list[str], dict[str, str]]:
    """What to run, and in which environment."""
    return (
        [
            str(chosen(state)),
            "-P",
            "-m",
            MODULE,
            *arguments,
        ],  # -P: what lies in the working folder is not ours
        {**os.environ, LAUNCHED: f"{sys.executable}\n{state}"},
    )


def again(arguments: list[str]) -> None:
    """From within an agent that was launched: start anew by the same launcher. Returns if it was not."""
    python, _, state = os.environ.get(LAUNCHED, "").partition("\n")
    if python and state:
        os.execv(python, [python, "-m", "kiosk_client.updates.launch", state, "--", *arguments])  # noqa: S606


def main(words: list[str]) -> NoReturn:
    if len(words) < 2 or words[1] != "--":
        sys.exit("usage: python -m kiosk_client.updates.launch STATE -- ARGUMENTS")
    argv, environment = command(Path(words[0]), words[2:])
    os.execve(argv[0], argv, environment)  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
