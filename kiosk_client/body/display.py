"""Where a window can be opened: looked up each time, since a compositor may die and another come up."""

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

REQUIRED: Final = "DIEMCAU_SCREEN"
"""Set to ``required`` on a kiosk: without a display nothing is shown, and staff are told, instead of a page
that runs where nobody sees it."""


def display(environment: Mapping[str, str], root: Path = Path("/")) -> dict[str, str] | None:
    """The variables by which a program finds the display; None: there is none.

    The named one wins if it is alive; else any Wayland socket in ``XDG_RUNTIME_DIR``, else any X server.
    """
    runtime = environment.get("XDG_RUNTIME_DIR", "")
    if runtime:
        there = root / runtime.lstrip("/")
        named = environment.get("WAYLAND_DISPLAY", "")
        for name in (named, *(file.name for file in sorted(there.glob("wayland-*")))):
            if name and not name.endswith(".lock") and is_alive(there / name):
                return {"WAYLAND_DISPLAY": name, "DISPLAY": ""}
    if environment.get("DISPLAY"):
        return {"WAYLAND_DISPLAY": "", "DISPLAY": environment["DISPLAY"]}
    servers = sorted((root / "tmp/.X11-unix").glob("X[0-9]*"))
    if environment.get(REQUIRED) == "required" and servers:
        return {"WAYLAND_DISPLAY": "", "DISPLAY": f":{servers[0].name[1:]}"}
    return None


def is_alive(path: Path) -> bool:
    """Does somebody listen? A compositor that was killed leaves its socket behind."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as knock:
            knock.connect(str(path))
    except OSError:
        return False
    return True


def is_required(environment: Mapping[str, str]) -> bool:
    """May the page not run without a display?"""
    return environment.get(REQUIRED) == "required"
