"""The gate: every check, each in one line, all of them even if an early one fails."""

import subprocess
import sys
import time
from pathlib import Path

import web_build
from steps import ROOT

BIN = ROOT / ".venv" / "bin"
Command = list[str | Path]


def checks() -> dict[str, Command]:
    """What is checked, in the order of cheapness."""
    return {
        "format": [BIN / "ruff", "format", "--check", "--quiet", "."],
        "lint": [BIN / "ruff", "check", "--quiet", "."],
        "arrows": [BIN / "lint-imports", "--no-logo"],
        "wire types fresh": [
            BIN / "python",
            "-m",
            "signaling.wire.typescript",
            "--check",
            "web/shared/wire.ts",
        ],
        "fleet types fresh": [
            BIN / "python",
            "-m",
            "signaling.wire.typescript",
            "--check",
            "web/shared/fleet-wire.ts",
        ],
        "kiosk types fresh": [
            BIN / "python",
            "-m",
            "signaling.wire.typescript",
            "--check",
            "web/shared/kiosk-wire.ts",
        ],
        "device types fresh": [
            BIN / "python",
            "-m",
            "signaling.wire.typescript",
            "--check",
            "web/shared/device-wire.ts",
        ],
        "licence list fresh": [BIN / "python", "tools/licences.py", "--check"],
        "page types": [*web_build.npm(), "--prefix", "web", "run", "--silent", "check"],
        "page tests": [*web_build.npm(), "--prefix", "web", "run", "--silent", "test"],
        "types": [BIN / "mypy", "--no-error-summary"],
    }


def main() -> int:
    """0 when everything holds."""
    failed = []
    for name, command in checks().items():
        started = time.monotonic()
        done = subprocess.run(
            [str(word) for word in command],
            cwd=ROOT,
            env=web_build.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        took_s = time.monotonic() - started
        print(f"check: {name:18} {'ok' if done.returncode == 0 else 'FAILED'} ({took_s:.1f} s)", flush=True)
        if done.returncode:
            failed.append(name)
            print(done.stdout.rstrip(), flush=True)
    if failed:
        print(f"check: failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
