"""The figures of ``benchmarks/results`` as tables of ``docs/benchmarks.md``: ``python -m benchmarks.table``.

Writes what stands there between the two marks anew; the rest of the page is written by people.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

from benchmarks import table_media
from benchmarks.table_media import Rows

RESULTS: Final = Path(__file__).parent / "results"
PAGE: Final = Path(__file__).parents[1] / "docs" / "benchmarks.md"
BEGIN: Final = "<!-- written by python -m benchmarks.table -->\n"
END: Final = "<!-- to here -->\n"


def read(name: str) -> dict[str, Any]:
    """The last figures of one run."""
    found: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def signaling(one: dict[str, Any], few: dict[str, Any], many: dict[str, Any]) -> Rows:
    """A whole city joins, hears and comes back."""
    ratio = many["cpu_ms_per_join"] / few["cpu_ms_per_join"]
    return [
        ("all joined", "≤ 10 s", f"{one['join_all_s']} s"),
        ("slowest answer to a join", "< 1,000 ms", f"{one['join_answer_max_ms']} ms"),
        ("an answer to a join, p50, p99", "", f"{one['join_answer_p50_ms']}, {one['join_answer_p99_ms']} ms"),
        ("processor per join", "", f"{one['cpu_ms_per_join']} ms"),
        ("the same at 1,200 sites, as a multiple of that at 120", "≤ 1.3", f"{ratio:.2f}"),
        ("bytes to each that joins", "", f"{one['bytes_per_join']}"),
        ("an event heard by everybody, p50", "", f"{one['fanout_p50_ms']} ms"),
        ("the same, p99", "≤ 60 ms", f"{one['fanout_p99_ms']} ms"),
        ("messages heard, of those due", "all", f"{one['fanout_heard']} of {one['fanout_expected']}"),
        ("processor per event", "", f"{one['cpu_ms_per_fanout']} ms"),
        ("memory of the server", "< 300 MiB", f"{one['server_rss_mib']} MiB"),
        ("all back at once, without a ramp", "", f"{one['resume_all_s']} s"),
    ]


def recover(one: dict[str, Any]) -> Rows:
    """The server is killed."""
    return [
        ("95 % of the sites are back", "≤ 15 s", f"{one['back_95_s']} s"),
        ("half, all of them", "", f"{one['back_50_s']}, {one['back_all_s']} s"),
        ("acknowledged acts that were lost", "0", f"{one['acknowledged_events_lost']}"),
        ("acts acknowledged before the kill", "", f"{one['acknowledged']}"),
    ]


def backends(one: dict[str, Any]) -> Rows:
    """Ways to send one text to everybody."""
    return [
        (
            f"{way}: p50, p99; processor per broadcast",
            "",
            f"{one[way]['p50_ms']}, {one[way]['p99_ms']} ms; {one[way]['cpu_ms_per_broadcast']} ms",
        )
        for way in ("wsproto", "websockets-sansio", "direct")
    ]


def demo(one: dict[str, Any]) -> Rows:
    """A living meeting."""
    return [
        (
            f"{what}: processor, memory",
            "",
            f"{one[f'{name}_core_percent']} % of a core, {one[f'{name}_rss_mib']} MiB",
        )
        for name, what in (
            ("server", "server"),
            ("media", "media process"),
            ("simulated", "all simulated sites together"),
        )
    ]


def fleet(one: dict[str, Any]) -> Rows:
    """A fleet on a bad day."""
    seen = one["true_outage_seen_s"]
    return [
        (
            "beats heard",
            f"{one['kiosks'] / one['beat_every_s']:.1f} a second",
            f"{one['beats_per_s']} a second",
        ),
        ("a request of the dashboard, p95", "≤ 150 ms", f"{one['api_p95_ms']} ms"),
        ("the same, p50; requests", "", f"{one['api_p50_ms']} ms; {one['api_requests']}"),
        ("server: processor, memory", "", f"{one['server_cpu_share']} of a core, {one['rss_mib']} MiB"),
        (
            "simulator: processor, memory",
            "",
            f"{one['simulator_cpu_share']} of a core, {one['simulator_rss_mib']} MiB",
        ),
        ("a power cut is seen after", "≤ 120 s", "not seen" if seen is None else f"{seen} s"),
        ("notices for each line that flaps", "≤ 1", f"{one['notices_per_flap']}"),
        ("incidents for a building without power", "1", f"{one['incidents_for_building_outage']}"),
        ("commands that came to a final state", "all", f"{one['commands_final_share']} of {one['commands']}"),
        ("commands with more than one effect", "0", f"{one['commands_duplicated']}"),
        ("all kiosks let in after", "", f"{one['all_in_s']} s"),
    ]


def fleet_tables() -> list[str]:
    """What ``make bench-fleet`` measured."""
    found = []
    for many in (1_000, 10_000):
        one = kept(f"fleet-{many}")
        if one:
            title = f"benchmarks.fleet, {many:,} kiosks, a beat every {one['beat_every_s']:.0f} s"
            found.append(table(title, fleet(one), machine(one)))
    return found


def machine(one: dict[str, Any]) -> str:
    """Where, and how busy it was."""
    it = one["machine"]
    when = it.get("measured_at", "2026-11-22")
    return (
        f"{when}; {it['cores']} cores, {it['cpu']}, kernel {it['kernel']}, Python {it['python']}; "
        f"load before: {it['load_before']}."
    )


def table(title: str, rows: Rows, where: str) -> str:
    """One section."""
    lines = [f"| {what} | {asked} | {measured} |" for what, asked, measured in rows]
    return "\n".join([f"### {title}", "", where, "", "| | asked | measured |", "|---|---|---|", *lines, ""])


def kept(name: str) -> dict[str, Any]:
    """The same; empty before the first run."""
    return read(name) if (RESULTS / f"{name}.json").exists() else {}


def media_tables() -> list[str]:
    """What ``make bench-sfu`` measured."""
    forwarded, switched, soaked = (kept(f"{name}-579") for name in ("sfu_forward", "stage_switch", "soak"))
    found = [
        table(
            f"benchmarks.sfu_forward, {one['sites']} sites, {table_media.NAMES[profile]}",
            table_media.forward(one, profile),
            machine(forwarded),
        )
        for profile, one in forwarded.items()
        if profile in table_media.NAMES
    ]
    if switched:
        title = f"benchmarks.stage_switch, {switched['sites']} sites"
        found.append(table(title, table_media.switch(switched), machine(switched)))
    if soaked:
        found.append(
            table(f"benchmarks.soak, {soaked['sites']} sites", table_media.soak(soaked), machine(soaked))
        )
    return found


def tables() -> str:
    """Everything between the marks."""
    city, few, many = (read(f"signaling-{sites}") for sites in (579, 120, 1200))
    killed, ways = read("recover-579"), read("backends")
    demos = [read(f"demo-{sites}") for sites in (40, 579)]
    return "\n".join(
        [
            table("benchmarks.signaling, 579 sites", signaling(city, few, many), machine(city)),
            table("benchmarks.recover, 579 sites", recover(killed), machine(killed)),
            table("benchmarks.backends, 579 sockets", backends(ways), machine(ways)),
            *(table(f"benchmarks.demo, {it['sites']} sites", demo(it), machine(it)) for it in demos),
            *media_tables(),
            *fleet_tables(),
        ]
    )


def renewed(page: str) -> str:
    """The page with the tables of today. Raises ``ValueError`` if a mark is missing."""
    head, found, rest = page.partition(BEGIN)
    _, ended, tail = rest.partition(END)
    if not found or not ended:
        raise ValueError(f"{PAGE.name} has lost a mark")
    return f"{head}{BEGIN}\n{tables()}\n{END}{tail}"


def main() -> int:
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
