"""What all benchmarks print beside their figures."""

import datetime as dt
import json
import os
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

PACKAGES: Final = ("uvicorn", "starlette", "wsproto", "uvloop", "msgspec", "sqlalchemy")


def machine() -> dict[str, Any]:
    """Where the figures come from: they mean nothing elsewhere."""
    names = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next(
        (line.split(":", 1)[1].strip() for line in names if line.startswith("model name")), "unknown"
    )
    return {
        "measured_at": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "cpu": model,
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def percentile_ms(seconds: Sequence[float], share: float) -> float:
    """The value that ``share`` of all do not exceed, in ms."""
    ordered = sorted(seconds)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 2) if ordered else 0.0


def print_json(figures: dict[str, Any], file: str) -> None:
    text = json.dumps(figures, indent=2) + "\n"
    if file == "-":
        sys.stdout.write(text)
    else:
        Path(file).write_text(text, encoding="utf-8")
