import pytest

from tests.helpers import databases


@pytest.fixture(scope="session", autouse=True)
def schema() -> None:
    """Made once, before any loop runs."""
    databases.prepare()
