"""No set-up may bring back a library with a hole that is known and closed.

Reviewed on 2026-11-22. Each floor stands with what was wrong below it.
"""

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest
from cryptography.hazmat.bindings.openssl.binding import Binding
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
FLOORS = {
    "starlette": "1.3.1",  # PYSEC-2026-249: limits of url-encoded forms ignored; CVE-2025-62727: Range O(n²)
    "h11": "0.16.0",  # CVE-2025-43859: request smuggling by chunks
    "websockets": "9.1",  # CVE-2021-33880: timing of basic authentication
    "cryptography": "50.0.2",  # bundles OpenSSL 4.0.3
    "pyopenssl": "26.0",
    "sqlalchemy": "2.0.40",
}
OPENSSL_FLOOR = (4, 0, 3)  # DTLS fragments out of sequence used to eat memory


def test_the_floors_were_looked_at_in_this_release() -> None:
    assert set(FLOORS) <= set(_pinned())


@pytest.mark.parametrize("name", FLOORS)
def test_what_is_installed_is_above_its_floor(name: str) -> None:
    installed = Version(importlib.metadata.version(name))

    assert installed >= Version(FLOORS[name])


@pytest.mark.parametrize("name", FLOORS)
def test_what_a_setup_would_install_is_above_its_floor(name: str) -> None:
    pinned = _pinned()[name]

    assert pinned >= Version(FLOORS[name])


@pytest.mark.parametrize("name", FLOORS)
def test_what_we_ask_for_excludes_everything_below_the_floor(name: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = {_plain(r.name): r for r in map(Requirement, project["dependencies"])}

    just_below = Version(FLOORS[name]).base_version + ".dev0"

    assert not asked[name].specifier.contains(just_below, prereleases=True)


def test_openssl_is_above_its_floor() -> None:
    linked = Binding.lib.OpenSSL_version_num()

    version = (linked >> 28, linked >> 20 & 0xFF, linked >> 4 & 0xFFFF)

    assert version >= OPENSSL_FLOOR


def _pinned() -> dict[str, Version]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line.partition("==") for line in lines if "==" in line and not line.startswith("#")]
    return {_plain(name): Version(version) for name, _, version in pins}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
