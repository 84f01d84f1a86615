"""Versions, and which device is fit for a bundle."""

import pytest

from kiosk_hub.fleet.bundles import Needs, check_version, misfit, numbers_of
from room_manager.errors import Invalid


def test_versions_compare_by_their_numbers() -> None:
    assert numbers_of("0.2.10") > numbers_of("0.2.9")
    assert numbers_of("1.0") == numbers_of("1")
    assert numbers_of("2.0+city.7") == numbers_of("2")


@pytest.mark.parametrize("version", ["", "../1", "1/2", "a b", "-1", "1..2", "x" * 65, "1\n"])
def test_a_version_that_could_not_be_a_file_is_refused(version: str) -> None:
    with pytest.raises(Invalid):
        check_version(version)


def test_a_device_is_fit_or_told_why_not() -> None:
    needs = Needs(agent_from="0.2", agent_below="0.4", hardware=("K2", "k3 pro"))

    assert misfit(needs, "0.3.1", "Kiosk K3 Pro 2024") is None
    assert misfit(needs, "0.1.9", "Kiosk K2") == "wrong-agent"
    assert misfit(needs, "0.4", "Kiosk K2") == "wrong-agent"
    assert misfit(needs, "0.3", "Kiosk K1") == "wrong-hardware"
    assert misfit(needs, "", "") is None
    assert misfit(Needs(), "0.1", "anything") is None
