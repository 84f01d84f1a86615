"""The browsers that the tests drive: Chromium always, Firefox where it can be had."""

import shutil
import subprocess

from python_env import PYTHON
from steps import Missing, apt_install, run, say

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FIREFOX = ("firefox-esr", "firefox")


def ensure() -> None:
    """Chromium is there, or ``Missing``. Firefox is asked for, and missed quietly: the tests that need it say
    so and are skipped."""
    if not _present(CHROMIUM) and not apt_install("chromium") and not _playwrights_own():
        say("installing Chromium by Playwright")
        run(
            "playwright chromium",
            [PYTHON, "-m", "playwright", "install", "chromium"],
            help_="run: sudo apt install chromium",
        )
        if not _playwrights_own():
            raise Missing("the browser tests need Chromium; run: sudo apt install chromium")
    if not _present(FIREFOX):
        apt_install("firefox-esr")


def _present(names: tuple[str, ...]) -> bool:
    return any(shutil.which(name) for name in names)


def _playwrights_own() -> bool:
    """Is the browser that Playwright downloads for itself there, and does it start here?"""
    ask = (
        "from playwright.sync_api import sync_playwright as p\n"
        "with p() as w: w.chromium.launch(args=['--no-sandbox']).close()"
    )
    return subprocess.run([PYTHON, "-c", ask], capture_output=True, check=False).returncode == 0
