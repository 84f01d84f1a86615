"""The page of figures says what was measured, not what somebody remembers."""

from benchmarks.table import BEGIN, END, PAGE, renewed, tables


def test_the_page_has_the_figures_that_were_kept() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert page == renewed(page), "the figures are newer than the page: python -m benchmarks.table"


def test_only_what_stands_between_the_marks_is_written() -> None:
    assert renewed(f"before\n{BEGIN}old{END}after\n") == f"before\n{BEGIN}\n{tables()}\n{END}after\n"
