"""Which archives may be unpacked."""

import pytest

from kiosk_hub.fleet.archives import MAX_ENTRIES, MAX_UNPACKED_BYTES, Entry, trouble_of


def file(name: str, size: int = 10, packed: int = 10, **more: int) -> Entry:
    return Entry(name, size, packed, **more)  # type: ignore[arg-type]


def code_of(*entries: Entry) -> str:
    trouble = trouble_of(entries)
    return trouble.code if trouble is not None else ""


def test_a_plain_bundle_is_fine() -> None:
    assert code_of(file("announcements.json"), file("assets/", 0, 0), file("assets/Lich (1).png")) == ""
    assert code_of(file("diemcau-0.2.0+city.1-py3-none-any.whl", mode=0o100644)) == ""


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "a/../../evil",
        "/etc/passwd",
        "a//b",
        "a\\b",
        "..\\evil",
        "C:/evil",
        "a/./b",
        "",
        "/",
        "a\x00b",
        "a\nb",
        "con",
        "a/NUL.txt",
        "trailing.",
        "trailing ",
        "a/" * 12 + "b",
        "x" * 300,
        ".hidden",
        "a/.git/config",
    ],
)
def test_a_name_that_is_no_plain_relative_path_is_refused(name: str) -> None:
    assert code_of(file(name)) == "unsafe-archive"


@pytest.mark.parametrize("mode", [0o120777, 0o010644, 0o020644, 0o060644, 0o140644, 0o040755])
def test_links_pipes_and_devices_are_refused(mode: int) -> None:
    assert code_of(file("link", mode=mode)) == "unsafe-archive"


def test_two_names_for_one_file_are_refused() -> None:
    assert code_of(file("a.json"), file("A.json")) == "unsafe-archive"
    assert code_of(file("a"), file("a/b")) == "unsafe-archive"


def test_encrypted_and_exotic_entries_are_refused() -> None:
    assert code_of(Entry("a", 1, 1, encrypted=True)) == "unsafe-archive"
    assert code_of(Entry("a", 1, 1, method=14)) == "unsafe-archive"


def test_bombs_are_refused_by_what_they_would_unpack_to() -> None:
    assert code_of(file("zeros", 100 << 20, 100 << 10)) == "archive-too-big"
    assert code_of(file("big", MAX_UNPACKED_BYTES + 1, MAX_UNPACKED_BYTES)) == "archive-too-big"
    assert code_of(*(file(f"f{n}") for n in range(MAX_ENTRIES + 1))) == "archive-too-big"
    assert code_of(file("text.json", 4 << 20, 20 << 10)) == ""
