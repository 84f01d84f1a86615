"""The schema is made once, before any loop runs."""

import pytest

from tests.helpers.databases import prepare


@pytest.fixture(scope="session", autouse=True)
def _schema() -> None:
    prepare()
