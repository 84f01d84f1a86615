"""The page of figures says what was measured, not what somebody remembers."""

from benchmarks.table import BEGIN, END, PAGE, renewed, tables
from benchmarks.table_media import forward


def test_the_page_has_the_figures_that_were_kept() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert page == renewed(page), "the figures are newer than the page: python -m benchmarks.table"


def test_only_what_stands_between_the_marks_is_written() -> None:
    assert renewed(f"before\n{BEGIN}old{END}after\n") == f"before\n{BEGIN}\n{tables()}\n{END}after\n"


def test_figures_beside_janus_become_rows_and_a_missing_janus_is_said() -> None:
    ours = {
        "pps_per_core": 210_000,
        "expected_pps": 104_000,
        "worker_cpu_share": 0.5,
        "lost": 0,
        "added_latency_p50_ms": 5.0,
        "added_latency_p99_ms": 12.0,
        "joins_per_s": 400,
        "join_cpu_ms": 1.5,
        "idle_share": 0.02,
        "kib_per_receiver": 118.0,
        "rss_mib": 110.0,
        "sites": 579,
    }
    theirs = {**ours, "share_of_load": 0.3}
    beside = {**ours, "janus": {"packaged": theirs, "tuned": "not measured: no compiler"}}

    rows = forward({**beside, "ratio_packaged": 8.2, "ratio_tuned": None}, "gcm")

    assert ("packets/s one core sends", "≥ 200,000", "210,000") in rows
    assert ("packets/s per core as a multiple of Janus as Debian packages it", "≥ 4", "8.2") in rows
    assert rows[-1][2] == "not measured: no compiler"
    assert forward({**ours, "janus": "not measured: no Janus"}, "cm")[-1][2] == "not measured: no Janus"
