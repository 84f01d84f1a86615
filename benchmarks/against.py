"""The same load on somebody else's server, in the same run, in a network namespace made for it.

Janus is measured twice: as Debian packages it, and tuned as its users tune it (libsrtp built with OpenSSL,
``event_loops`` as many as cores). It is given a load it carries: the largest share of ours of which nothing
is lost.
"""

import os
import shutil
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any, Final

from benchmarks import janus, libsrtp
from benchmarks.load import Load, Run

HOST: Final = "10.99.0.1"
SHARES: Final = (1.0, 0.7, 0.45, 0.3, 0.2, 0.1)
LOOK_S: Final = 4.0
IDLE_S: Final = 3.0
LOST_SHARE: Final = 0.001  # taken for nothing
BEHIND_MS: Final = 1_000  # so late means that it does not carry it, whatever its buffers hold
LIMIT_S: Final = 900.0
NETWORK: Final = (
    "ip link set lo up && ip link add dc0 type veth peer name dc1 && ip address add 10.99.0.1/24 dev dc0 && "
    'ip link set dc0 up && ip link set dc1 up && exec "$@"'
)


def why_not() -> str | None:
    """Why there is nothing to compare with here; None: there is."""
    if janus.PROGRAM is None:
        return "Janus is not installed (Debian: apt-get install janus)"
    if os.geteuid() != 0 or shutil.which("unshare") is None or shutil.which("ip") is None:
        return "a network namespace of its own needs root, unshare and iproute2"
    return None


def run_apart(arguments: list[str]) -> int:
    """This program again, in a network of its own, which ends with it. Returns its exit code."""
    words = [sys.executable, "-m", "benchmarks.sfu_forward", *arguments, "--host", HOST]
    alone = ["unshare", "--net", "--pid", "--mount-proc", "--fork", "--kill-child"]  # nothing outlives us
    apart = [*alone, "sh", "-ec", NETWORK, "sh", *words]
    return subprocess.run(apart, timeout=LIMIT_S, check=False).returncode


async def compare(options: Namespace, load: Load, pps_per_core: int) -> dict[str, Any]:
    """What Janus does with the same load, and how many times more a core does with us."""
    reason = why_not()
    if reason is not None:
        return {"janus": f"not measured: {reason}", "ratio_packaged": None, "ratio_tuned": None}
    packaged = await carry(options.host, load, None, 0)
    found: dict[str, Any] = {
        "janus": {"packaged": packaged},
        "ratio_packaged": round(pps_per_core / packaged["pps_per_core"], 2),
    }
    try:
        library = libsrtp.folder()
    except libsrtp.NotBuilt as problem:
        found["janus"]["tuned"] = f"not measured: {problem}"
        return {**found, "ratio_tuned": None}
    tuned = await carry(options.host, load, library, os.cpu_count() or 1)
    found["janus"]["tuned"] = tuned
    return {**found, "ratio_tuned": round(pps_per_core / tuned["pps_per_core"], 2)}


async def carry(host: str, load: Load, library: Path | None, event_loops: int) -> dict[str, Any]:
    """Janus' figures at the largest share of the load it carries; ``lost_at`` has what it lost at others."""
    subject = janus.Janus(host, library=library, event_loops=event_loops)
    run = Run(subject, load)
    try:
        await subject.start()
        figures = await run.gather()
        figures["idle_share"] = await run.idle(IDLE_S)
        tried: dict[str, int] = {}
        for share in SHARES:
            fed = await run.feed(LOOK_S, share)
            tried[f"{share:.0%}"] = fed["lost"]
            if fed["lost"] <= LOST_SHARE * fed["arrived"] and fed["added_latency_p99_ms"] < BEHIND_MS:
                break
        return {
            **figures,
            "event_loops": event_loops,
            "share_of_load": share,
            "lost_at": tried,
            **fed,
            "rss_mib": round(run.rss_bytes() / 2**20, 1),
        }
    finally:
        await run.close()
        await subject.close()
