"""The virtual environment ``.venv`` with the pinned packages and this project, editable."""

import shutil
import subprocess
import sys

from steps import ROOT, Missing, apt_install, digest, is_done, mark_done, run, say

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
CONSTRAINTS = ROOT / "constraints.txt"
QUIET_PIP = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input")


def ensure(dev: bool) -> None:
    """``.venv`` holds what running needs, and with ``dev`` what checking and testing need too."""
    key = digest([ROOT / "pyproject.toml", CONSTRAINTS], sys.version, str(ROOT))
    with_dev, without_dev = f"dev {key}", f"run {key}"
    stamp = VENV / "diemcau-setup"
    if PYTHON.exists() and (is_done(stamp, with_dev) or (not dev and is_done(stamp, without_dev))):
        return
    _create()
    say("installing Python packages into .venv")
    # setuptools comes first and pinned, so that building this project fetches nothing unpinned.
    install("setuptools")
    what = ".[dev]" if dev else "."
    run(
        "python packages",
        [PYTHON, *QUIET_PIP, "-c", CONSTRAINTS, "--no-build-isolation", "-e", what],
        help_="is the package registry reachable?",
    )
    mark_done(stamp, with_dev if dev else without_dev)


def install(package: str) -> None:
    """Add one pinned package to ``.venv``."""
    run(
        f"python package {package}",
        [PYTHON, *QUIET_PIP, "-c", CONSTRAINTS, package],
        help_="is the package registry reachable?",
    )


def _create() -> None:
    """A ``.venv`` with pip in it. Debian keeps the part that brings pip in a package of its own."""
    if PYTHON.exists() and _runs(PYTHON, "-m", "pip", "--version"):
        return
    say("creating .venv")
    if _runs(sys.executable, "-m", "venv", "--clear", VENV):
        return
    if apt_install("python3-venv") and _runs(sys.executable, "-m", "venv", "--clear", VENV):
        return
    if _runs(sys.executable, "-m", "virtualenv", "--clear", VENV):
        return
    # pip 22.3 and later can install into an environment that has no pip of its own.
    bare = _runs(sys.executable, "-m", "venv", "--clear", "--without-pip", VENV)
    if bare and _runs(sys.executable, "-m", "pip", "--python", PYTHON, "install", "--quiet", "pip"):
        return
    shutil.rmtree(VENV, ignore_errors=True)
    raise Missing("this Python cannot make a virtual environment; run: sudo apt install python3-venv")


def _runs(*command: object) -> bool:
    try:
        return (
            subprocess.run([str(word) for word in command], capture_output=True, check=False).returncode == 0
        )
    except OSError:
        return False
