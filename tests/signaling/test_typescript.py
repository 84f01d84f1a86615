"""The pages' types come from ours."""

import re
from pathlib import Path
from typing import get_args

import pytest

from signaling.wire.client import AnyClientMessage
from signaling.wire.server import AnyServerMessage
from signaling.wire.typescript import generate, generate_fleet, main

COMMITTED = Path(__file__).parents[2] / "web" / "shared" / "wire.ts"


def test_the_committed_file_is_fresh() -> None:
    assert main(["--check", str(COMMITTED)]) == 0


def test_a_stale_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stale = tmp_path / "wire.ts"
    stale.write_text("// old")

    assert main(["--check", str(stale)]) == 1
    assert "not fresh" in capsys.readouterr().err
    assert main([str(stale)]) == 0
    assert main(["--check", str(stale)]) == 0


def test_every_message_has_an_interface_with_its_type() -> None:
    types = re.findall(r'readonly type: "([a-z-]+)"', generate())

    tags = [
        cls.__struct_config__.tag for union in (AnyClientMessage, AnyServerMessage) for cls in get_args(union)
    ]
    assert types == tags


def test_what_json_carries_as_an_array_is_a_tuple() -> None:
    point = re.search(r"export type MetricPoint = readonly \[(.*)\];", generate_fleet())

    assert point is not None
    assert point.group(1).startswith("at: number, low: number | null, ")
