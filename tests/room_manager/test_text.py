import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from room_manager.errors import Invalid
from room_manager.text import one_line


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Hòa", "Hòa"),
        ("Ho\u0300a", "Hòa"),
        (" hai \n dòng\t", "hai dòng"),
        ("zero\u200bwidth \ufeffmark", "zerowidth mark"),
        ("\u202egnol\u202c", "gnol"),
    ],
)
def test_text_becomes_one_visible_line(typed: str, kept: str) -> None:
    assert one_line(typed, 20, "the text") == kept


@pytest.mark.parametrize("typed", ["", " ", "\u200b", "a\x00", "a\x1b[31m", "\ud800", "x" * 21])
def test_text_that_cannot_be_kept_is_refused(typed: str) -> None:
    with pytest.raises(Invalid, match="the text"):
        one_line(typed, 20, "the text")


@given(st.text(max_size=30))
def test_any_text_is_either_refused_or_fit_to_keep(typed: str) -> None:
    try:
        kept = one_line(typed, 20, "the text")
    except Invalid:
        return

    assert 1 <= len(kept) <= 20
    assert not {unicodedata.category(char) for char in kept} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert one_line(kept, 20, "the text") == kept
