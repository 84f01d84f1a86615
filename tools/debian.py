"""Debian packages that single tests need: namespaces, a firewall, a TURN server, another WebRTC client.

Each is optional. They are asked for once, together, and missed quietly: a test without its tool says so and
is skipped.
"""

import shutil
import subprocess

from steps import STATE, apt_install, is_done, mark_done

PACKAGES = (
    "coturn",
    "gir1.2-gst-plugins-bad-1.0",
    "gstreamer1.0-nice",
    "gstreamer1.0-plugins-bad",
    "gstreamer1.0-plugins-base",
    "gstreamer1.0-plugins-good",
    "iproute2",
    "nftables",
    "python3-gst-1.0",
)
SERVICES = ("coturn",)  # Debian starts them by itself; tests start their own


def ensure() -> None:
    """What can be had is there."""
    stamp, key = STATE / "debian", " ".join(PACKAGES)
    if is_done(stamp, key):
        return
    missing = [package for package in PACKAGES if not _installed(package)]
    if missing and not apt_install(*missing):
        known = [package for package in missing if _known(package)]
        if known and known != missing:
            apt_install(*known)
    for service in SERVICES:
        if service in missing and _installed(service):
            _stop(service)
    mark_done(stamp, key)


def _installed(package: str) -> bool:
    return _says(["dpkg-query", "-W", "-f", "${db:Status-Status}", package]) == "installed"


def _known(package: str) -> bool:
    return bool(_says(["apt-cache", "show", package]))


def _stop(service: str) -> None:
    """It has come with its package just now; whoever wants it enables it again."""
    if shutil.which("systemctl") is not None:
        _says(["systemctl", "disable", "--now", service])


def _says(command: list[str]) -> str:
    """What it writes; empty if it fails or is not there."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
