"""Others' WHIP and WHEP clients, which the interop tests try against this server. Missed quietly."""

import web_build
from steps import ROOT, Missing, digest, is_done, mark_done, run, say

PACKAGES = ROOT / "tests" / "interop" / "npm"


def ensure() -> None:
    """They are there, as the lock file names them; without them their tests say so and are skipped."""
    key = digest([PACKAGES / "package.json", PACKAGES / "package-lock.json"])
    stamp = PACKAGES / "node_modules" / ".diemcau-setup"
    if is_done(stamp, key):
        return
    say("installing others' WHIP and WHEP clients")
    command = [*web_build.npm(), "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    try:
        run("interop packages", command, cwd=PACKAGES, env=web_build.environment())
    except Missing as missing:
        say(f"{missing}; their tests will be skipped")
    else:
        mark_done(stamp, key)
