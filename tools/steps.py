"""What every set-up step is made of: say, run quietly, remember what was done."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".setup"  # logs and stamps; not in git
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


class Missing(Exception):
    """Something needed is not there and could not be fetched. The text says what to do."""


def say(text: str) -> None:
    """One line of progress."""
    print(f"setup: {text}", flush=True)


def digest(files: Iterable[Path], *extra: str) -> str:
    """One short name for the contents of these files, their names and whatever else matters."""
    sum_ = hashlib.sha256("\0".join(extra).encode())
    for file in sorted(files):
        sum_.update(f"\0{file.relative_to(ROOT)}\0".encode())
        sum_.update(file.read_bytes())
    return sum_.hexdigest()[:24]


def is_done(stamp: Path, key: str) -> bool:
    """Was the step done for exactly this key?"""
    return stamp.is_file() and stamp.read_text() == key


def mark_done(stamp: Path, key: str) -> None:
    """Remember; the next run skips the step."""
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(key)


def trusting() -> dict[str, str]:
    """What makes pip and Node trust whom this machine trusts, an office's own proxy included."""
    if not CERTIFICATES.is_file():
        return {}
    names = ("PIP_CERT", "NODE_EXTRA_CA_CERTS")
    return {name: str(CERTIFICATES) for name in names if name not in os.environ}


def run(
    what: str,
    command: Sequence[str | Path],
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    help_: str = "",
) -> None:
    """Run a command without its noise, which goes to a log. Raises ``Missing`` with its last error line."""
    STATE.mkdir(exist_ok=True)
    log = STATE / f"{what.replace(' ', '-')}.log"
    try:
        with log.open("wb") as out:
            done = subprocess.run(
                [str(word) for word in command],
                cwd=cwd,
                env={**os.environ, **trusting(), **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                check=False,
            )
    except OSError as error:
        raise Missing(f"{what}: cannot start {command[0]}: {error.strerror}") from None
    if done.returncode:
        cause = f"{what} failed: {_worst_line(log)} (all of it in {log.relative_to(ROOT)})"
        raise Missing(f"{cause}; {help_}" if help_ else cause)


def _worst_line(log: Path) -> str:
    """The line that says why: the first that speaks of an error and says something, else the last."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    bad = [line for line in lines if len(line) > 25 and ("error" in line.lower() or line.startswith("E:"))]
    return (bad[:1] or lines[-1:] or ["it said nothing"])[0][:300]


def apt_install(*packages: str) -> bool:
    """Install Debian packages if this machine and this user can; False when they cannot be had."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    say(f"installing {' '.join(packages)} with apt")
    try:
        run("apt install", install, env=quiet)
    except Missing:
        try:  # a fresh machine has no package lists yet
            run("apt update", ["apt-get", "update"], env=quiet)
            run("apt install", install, env=quiet)
        except Missing:
            return False
    return True
