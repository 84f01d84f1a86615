"""Two servers on one database are told apart."""

from pathlib import Path

import pytest

from room_manager.store.sole import marked_as_served
from tests.helpers.databases import url_of


def test_a_second_server_on_a_database_says_so_until_the_first_has_gone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = url_of(tmp_path / "meetings.db")
    with marked_as_served(url) as first:
        assert first
        with marked_as_served(url_of(tmp_path / "other.db")) as elsewhere:
            assert elsewhere
        assert caplog.text == ""
        with marked_as_served(url) as second:
            assert not second
        assert "meetings.db: another server runs on it too" in caplog.text

    with marked_as_served(url) as alone:
        assert alone


def test_a_database_elsewhere_is_not_marked() -> None:
    with marked_as_served("postgresql+psycopg://somewhere/diemcau") as alone:
        assert alone
