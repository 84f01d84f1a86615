"""The figures of the media path as rows for ``benchmarks.table``."""

from typing import Any, Final

Rows = list[tuple[str, str, str]]
"""What, asked, measured."""

PPS: Final = {"gcm": "≥ 200,000", "cm": "≥ 150,000"}
NAMES: Final = {"gcm": "AES-GCM", "cm": "AES-CM"}


def forward(one: dict[str, Any], profile: str) -> Rows:
    """One site seen and heard by all."""
    rows = [
        ("packets/s one core sends", PPS[profile], f"{one['pps_per_core']:,}"),
        (f"share of a core at {one['expected_pps']:,} packets/s", "≤ 0.6", f"{one['worker_cpu_share']}"),
        ("packets lost", "0", f"{one['lost']}"),
        ("added latency, p50, p99", "p99 ≤ 15 ms", _ms(one)),
        ("joins/s; processor per join", "≥ 200; ≤ 3 ms", f"{one['joins_per_s']}; {one['join_cpu_ms']} ms"),
        ("share of a core while nobody sends", "≤ 0.05", f"{one['idle_share']}"),
        (
            "memory per receiver; of the unit",
            "≤ 358 KiB",
            f"{one['kib_per_receiver']} KiB; {one['rss_mib']} MiB",
        ),
    ]
    theirs = one.get("janus")
    if isinstance(theirs, dict):
        for name, what, asked in (
            ("packaged", "Janus as Debian packages it", "≥ 4"),
            ("tuned", "Janus with OpenSSL, an event loop per core", "≥ 2.5"),
        ):
            it = theirs[name]
            if isinstance(it, dict):
                rows.append((f"packets/s per core as a multiple of {what}", asked, f"{one[f'ratio_{name}']}"))
                rows.append((f"{what}: at {it['share_of_load']:.0%} of the load", "", _janus(it)))
            else:
                rows.append((what, asked, it))
    elif theirs is not None:
        rows.append(("beside Janus", "", str(theirs)))
    return rows


def switch(one: dict[str, Any]) -> Rows:
    """The chair gives the floor."""
    return [
        ("the new speaker's keyframe arrives, p50", "", f"{one['p50_ms']} ms"),
        ("the same, p99", "≤ 300 ms", f"{one['p99_ms']} ms"),
        ("the same, slowest", "", f"{one['max_ms']} ms"),
        ("sites that did not see it, over all switches", "0", f"{one['not_seen']}"),
        ("renegotiations", "0", f"{one['renegotiations']}"),
        ("packets/s meanwhile", "", f"{one['pps_meanwhile']:,}"),
    ]


def soak(one: dict[str, Any]) -> Rows:
    """Coming and going."""
    return [
        (
            f"returns of sites and switches in {one['seconds']:.0f} s",
            "",
            f"{one['returns']}; {one['switches']}",
        ),
        ("returns that failed", "0", f"{one['failures']}"),
        ("memory of the unit: drift, in the end", "± 5 %", _memory(one, "unit")),
        ("of the server", "", _memory(one, "server")),
        ("tasks, sockets, threads left", "0", _left(one)),
    ]


def _ms(one: dict[str, Any]) -> str:
    return f"{one['added_latency_p50_ms']}, {one['added_latency_p99_ms']} ms"


def _janus(it: dict[str, Any]) -> str:
    return (
        f"{it['pps_per_core']:,} packets/s per core, latency {_ms(it)}, {it['joins_per_s']} joins/s, "
        f"idle {it['idle_share']} of a core, {it['rss_mib']} MiB"
    )


def _memory(one: dict[str, Any], whose: str) -> str:
    return f"{one[f'{whose}_drift_percent']:+} %, {one[f'{whose}_rss_mib']} MiB"


def _left(one: dict[str, Any]) -> str:
    return f"{one['leaked_tasks']}, {one['leaked_sockets']}, {one['leaked_threads']}"
