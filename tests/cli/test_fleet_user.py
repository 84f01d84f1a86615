"""``diemcau user``: roles in the fleet."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from kiosk_hub.fleet.permissions import Grant
from kiosk_hub.fleet.values import FleetRole
from kiosk_hub.store.staff import StaffStore
from kiosk_hub.store.tables import audit
from signaling.cli.storage import opened
from tests.cli.test_command_line import Run, run

__all__ = ["run"]  # the fixture
SENTENCE = "trời hôm nay xanh quá\n"


def kept(db: Path) -> tuple[dict[str, Grant], list[dict[str, object]]]:
    """Grants, and what the audit says of them."""

    async def read() -> tuple[dict[str, Grant], list[dict[str, object]]]:
        async with opened(db) as stores:
            grants = await StaffStore(stores.database).all()
            async with stores.database.read() as connection:
                rows = await connection.execute(select(audit.c.body).order_by(audit.c.seq))
                return grants, [msgspec.json.decode(row.body)["entry"]["values"] for row in rows]

    return asyncio.run(read())


def test_a_technician_is_added_for_districts_and_needs_no_role_in_meetings(run: Run, tmp_path: Path) -> None:
    words = ("user", "add", "lan", "--fleet", "technician", "--districts", "001, 002")

    code, out, err = run(*words, "--db", tmp_path / "a.db", stdin=SENTENCE)

    assert (code, err) == (0, "")
    assert out == "Added lan (lan) as technician of the fleet.\n"
    grants, told = kept(tmp_path / "a.db")
    assert grants == {"lan": Grant(FleetRole.TECHNICIAN, frozenset({"001", "002"}))}
    assert told[0]["of"] == "lan"
    assert told[0]["by"] == "command line"


def test_a_role_is_changed_and_taken(run: Run, tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    run("user", "add", "binh", "--role", "chair", "--db", db, stdin=SENTENCE)

    assert run("user", "fleet", "binh", "--role", "administrator", "--db", db) == (
        0,
        "binh has the role administrator in the fleet.\n",
        "",
    )
    assert kept(db)[0] == {"binh": Grant(FleetRole.ADMINISTRATOR)}
    assert run("user", "fleet", "binh", "--none", "--db", db)[0] == 0
    grants, told = kept(db)
    assert grants == {}
    assert [one["role"] for one in told] == ["administrator", None]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["add", "lan"], "--role: a role in meetings"),
        (["add", "lan", "--role", "chair", "--districts", "001"], "--districts: they belong to"),
        (["add", "lan", "--fleet", "technician"], "--districts: a technician has at least one"),
        (["add", "lan", "--fleet", "viewer", "--districts", "999"], "--districts: 999 is not on the roster"),
        (["fleet", "lan", "--role", "viewer"], "NAME: there is no account lan"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_done(
    run: Run, tmp_path: Path, words: list[str], why: str
) -> None:
    code, out, err = run("user", *words, "--db", tmp_path / "a.db", stdin=SENTENCE)

    assert (code, out) == (2, "")
    assert why in err
    if words[0] == "add" and (tmp_path / "a.db").exists():
        assert run("user", "add", "lan", "--role", "chair", "--db", tmp_path / "a.db", stdin=SENTENCE)[0] == 0
