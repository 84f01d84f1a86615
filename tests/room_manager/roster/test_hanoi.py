"""The rosters that come with the package."""

from collections import Counter

import pytest

from room_manager.roster.builtin import hanoi_579, hanoi_579_csv, hanoi_districts
from room_manager.roster.parsing import parse_bytes
from room_manager.roster.search import Index, search


@pytest.fixture(scope="module")
def index() -> Index:
    return Index(hanoi_579())


def test_hanoi_has_579_units_of_three_kinds_in_30_districts() -> None:
    units, districts = hanoi_579(), hanoi_districts()

    assert Counter(unit.kind for unit in units) == {"Phường": 175, "Xã": 383, "Thị trấn": 21}
    assert Counter(unit.district_code for unit in units) == {d.code: d.units for d in districts}
    assert {u.district_full_name for u in units} == {d.full_name for d in districts}
    assert len({(d.row, d.col) for d in districts}) == len(districts) == 30
    assert parse_bytes(hanoi_579_csv()) == units


def test_only_the_code_is_unique() -> None:
    full_names = Counter(unit.full_name for unit in hanoi_579())

    assert full_names["Phường Quang Trung"] == 3
    assert sum(count > 1 for count in full_names.values()) == 13


@pytest.mark.parametrize(
    ("query", "first", "district"),
    [
        ("phuc xa", "Phường Phúc Xá", "Ba Đình"),
        ("Phúc Xá", "Phường Phúc Xá", "Ba Đình"),
        ("00001", "Phường Phúc Xá", "Ba Đình"),
        ("p. duc", "Phường Đức Giang", "Long Biên"),
        ("x duc thuong", "Xã Đức Thượng", "Hoài Đức"),
        ("tt dong anh", "Thị trấn Đông Anh", "Đông Anh"),
        ("hoa binh", "Xã Hòa Bình", "Thường Tín"),
        ("HOÀ BÌNH", "Xã Hòa Bình", "Thường Tín"),
        ("yen hoa cau giay", "Phường Yên Hoà", "Cầu Giấy"),
        ("quang trung son tay", "Phường Quang Trung", "Sơn Tây"),
        ("o cho", "Phường Ô Chợ Dừa", "Đống Đa"),
        ("ochodua", "Phường Ô Chợ Dừa", "Đống Đa"),
        ("my dinh 2", "Phường Mỹ Đình 2", "Nam Từ Liêm"),
    ],
)
def test_a_unit_is_found_as_people_type_it(index: Index, query: str, first: str, district: str) -> None:
    found = index.search(query)

    assert (found[0].full_name, found[0].district_name) == (first, district)


@pytest.mark.parametrize("query", ["dong da", "Đống Đa", "đống đa", "q. dong da", "quan dong da", "dongda"])
def test_a_district_brings_its_21_units_first(index: Index, query: str) -> None:
    found = index.search(query)

    assert {unit.district_name for unit in found[:21]} == {"Đống Đa"}


def test_letters_without_marks_find_every_marked_name(index: Index) -> None:
    duc = {unit.name for unit in index.search("duc")}
    hoa = {unit.name for unit in index.search("hoa")}

    assert {"Đức Giang", "Dục Tú"} <= duc
    assert {"Hòa Bình", "Yên Hoà", "Hoa Sơn"} <= hoa


def test_first_letters_find_a_name_of_several_words(index: Index) -> None:
    found = index.search("hbt")

    assert {unit.district_name for unit in found} == {"Hai Bà Trưng"}
    assert len(found) == 18


def test_a_district_narrows_the_search(index: Index) -> None:
    found = index.search("quang trung", district="268")

    assert [(unit.full_name, unit.district_name) for unit in found] == [("Phường Quang Trung", "Hà Đông")]
    assert len(index.search("", district="268")) == 17


def test_a_unit_is_found_by_its_code_and_by_its_whole_name(index: Index) -> None:
    for unit in hanoi_579()[::20]:
        assert index.search(unit.code)[0] == unit
        assert unit in index.search(f"{unit.full_name} {unit.district_full_name}")


def test_nothing_asked_gives_everything_in_vietnamese_order_and_nonsense_nothing(index: Index) -> None:
    everything = index.search(" ")

    assert len(everything) == 579
    assert [unit.name for unit in everything[:4]] == ["An Khánh", "An Mỹ", "An Phú", "An Thượng"]
    assert [unit.name for unit in everything[-2:]] == ["Yên Viên", "Yết Kiêu"]
    assert index.search("zzz") == []
    assert search([], "duc") == []
