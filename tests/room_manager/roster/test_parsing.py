import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from room_manager.errors import Invalid
from room_manager.roster.errors import RosterError
from room_manager.roster.parsing import MAX_UNITS, parse_bytes, parse_csv, parse_districts
from room_manager.roster.table import MAX_BYTES
from room_manager.roster.units import Unit

HEADER = "code,name,type,full_name,district_code,district_name,district_full_name"
PHUC_XA = "00001,Phúc Xá,Phường,Phường Phúc Xá,001,Ba Đình,Quận Ba Đình"
BA_VI = "09694,Ba Vì,Xã,Xã Ba Vì,271,Ba Vì,Huyện Ba Vì"
MANY = [f"{n},A,Xã,Xã A" for n in range(MAX_UNITS + 1)]
DATES = "code,name,type,full_name,valid_from,valid_to"


def roster(*rows: str, header: str = HEADER) -> str:
    return "\n".join((header, *rows)) + "\n"


def test_a_roster_is_read_in_its_own_order_with_codes_as_text() -> None:
    units = parse_csv(roster(BA_VI, PHUC_XA))

    assert [unit.code for unit in units] == ["09694", "00001"]
    assert units[1] == Unit(
        code=units[1].code,
        name="Phúc Xá",
        kind="Phường",
        full_name="Phường Phúc Xá",
        district_code="001",
        district_name="Ba Đình",
        district_full_name="Quận Ba Đình",
    )


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + roster(PHUC_XA),
        roster(PHUC_XA).replace("\n", "\r\n"),
        roster(PHUC_XA).removesuffix("\n"),
        roster("", PHUC_XA, ",,,,,,", ""),
        roster(PHUC_XA).replace(",", ";"),
        roster(PHUC_XA).replace(",", "\t"),
        roster(PHUC_XA.replace("Phúc Xá,", ' " Phúc  Xá " ,', 1).replace(' "', '"').replace('" ,', '",')),
        roster(PHUC_XA.replace("Phúc Xá", "Phu\u0301c Xa\u0301")),
        roster(PHUC_XA + ",x", header=HEADER.upper() + ",note"),
    ],
    ids=["bom", "crlf", "no-end", "blank-rows", "semicolon", "tab", "quotes", "nfd", "case-and-more-columns"],
)
def test_files_as_people_save_them_are_read_alike(text: str) -> None:
    assert parse_csv(text) == parse_csv(roster(PHUC_XA))
    assert parse_bytes(text.encode()) == parse_csv(roster(PHUC_XA))


def test_a_roster_without_districts_is_a_roster() -> None:
    (unit,) = parse_csv(roster("00004,Ba Đình,Phường,Phường Ba Đình", header="code,name,type,full_name"))

    assert (unit.district_code, unit.district_full_name) == ("", "")


def test_units_exist_from_day_to_day() -> None:
    text = roster("00001,A,Xã,Xã A,2024-02-29,2025-06-30", "00002,B,Xã,Xã B,,", header=DATES)

    ended, standing = parse_csv(text)

    days = ("2024-02-28", "2024-02-29", "2025-06-30", "2025-07-01")
    assert [ended.is_valid_on(day) for day in days] == [False, True, True, False]
    assert all(standing.is_valid_on(day) for day in days)


@pytest.mark.parametrize(
    ("text", "row", "field"),
    [
        ("", 1, None),
        ("\n\n", 1, None),
        ("hello", 1, "code"),
        (HEADER, None, None),
        (roster(PHUC_XA, header=HEADER.replace("full_name", "x", 1)), 1, "full_name"),
        (roster(PHUC_XA, header=HEADER.replace("district_name", "x")), 1, "district_name"),
        (roster(PHUC_XA, header=HEADER.replace("district_name", "name")), 1, "name"),
        (roster(PHUC_XA, PHUC_XA), 3, "code"),
        (roster(PHUC_XA, BA_VI.replace("09694", "")), 3, "code"),
        (roster(BA_VI.replace("09694", "9a")), 2, "code"),
        (roster(BA_VI.replace("09694", "٠١")), 2, "code"),
        (roster(BA_VI.replace("09694", "0" * 11)), 2, "code"),
        (roster(BA_VI.replace("Ba Vì", " ", 1)), 2, "name"),
        (roster(BA_VI.replace("Ba Vì", "B" * 101, 1)), 2, "name"),
        (roster(BA_VI.replace("Ba Vì", "B\x07", 1)), 2, "name"),
        (roster(PHUC_XA, BA_VI.replace("271", "001")), 3, "district_name"),
        (roster(PHUC_XA, PHUC_XA.replace("00001", "2").replace("Quận", "Huyện")), 3, "district_full_name"),
        (roster(PHUC_XA, BA_VI + ",x"), 3, None),
        (roster(PHUC_XA, "00002"), 3, None),
        (roster(PHUC_XA, '00002,"open'), 3, None),
        (roster(PHUC_XA.replace("Phúc", '"Phúc"', 1)), 2, None),
        (roster("00001,A,Xã,Xã A,2025-02-29,", header=DATES), 2, "valid_from"),
        (roster("00001,A,Xã,Xã A,,1/7/2025", header=DATES), 2, "valid_to"),
        (roster("00001,A,Xã,Xã A,2025-07-01,2025-06-30", header=DATES), 2, "valid_to"),
        (",".join(["x"] * 65), 1, None),
        pytest.param(roster(*MANY, header="code,name,type,full_name"), 2002, None, id="too-many"),
        pytest.param("x" * (MAX_BYTES + 1), None, None, id="too-large"),
        pytest.param(HEADER + "\n" + "x" * 200_000, 2, None, id="one-endless-cell"),
    ],
)
def test_a_fault_is_told_in_one_line_with_row_and_field(
    text: str, row: int | None, field: str | None
) -> None:
    with pytest.raises(RosterError) as fault:
        parse_csv(text)

    assert (fault.value.row, fault.value.field) == (row, field)
    assert fault.value.code == "invalid-roster"
    assert "\n" not in str(fault.value)
    assert len(str(fault.value)) < 200


@pytest.mark.parametrize(
    ("data", "row"),
    [
        (roster(PHUC_XA, BA_VI).encode("utf-16"), None),
        (roster(PHUC_XA).encode() + b"00002,\xd0\xff", 3),
        pytest.param(b"x" * (MAX_BYTES + 1), None, id="too-large"),
    ],
)
def test_bytes_that_are_no_utf8_text_are_told_with_their_row(data: bytes, row: int | None) -> None:
    with pytest.raises(RosterError) as fault:
        parse_bytes(data)

    assert fault.value.row == row
    assert isinstance(fault.value, Invalid)


@given(st.binary(max_size=300) | st.text(max_size=100).map(lambda text: (HEADER + "\n" + text).encode()))
def test_any_bytes_are_a_roster_or_a_fault_in_one_line(data: bytes) -> None:
    try:
        units = parse_bytes(data)
    except RosterError as fault:
        assert "\n" not in str(fault)  # noqa: PT017
    else:
        assert units


cells = st.text(alphabet=st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=5), st.sampled_from(["\n", "\r\n"]))
def test_what_a_spreadsheet_writes_is_read_back(names: list[tuple[str, str]], line_end: str) -> None:
    rows = [[f"{n:05}", name, kind, f"{kind} {name}"] for n, (name, kind) in enumerate(names)]
    file = io.StringIO()
    csv.writer(file, lineterminator=line_end).writerows([["code", "name", "type", "full_name"], *rows])
    once = parse_csv(file.getvalue())

    again = io.StringIO()
    csv.writer(again).writerows(
        [["code", "name", "type", "full_name"], *([u.code, u.name, u.kind, u.full_name] for u in once)]
    )

    assert [unit.code for unit in once] == [row[0] for row in rows]
    assert parse_csv(again.getvalue()) == once


TILES = "district_code,district_name,district_type,district_full_name,units,tile_row,tile_col"


@pytest.mark.parametrize(
    ("rows", "row", "field"),
    [
        (["001,A,Quận,Quận A,3,0,0", "001,B,Quận,Quận B,3,0,1"], 3, "district_code"),
        (["001,A,Quận,Quận A,3,0,0", "002,B,Quận,Quận B,3,0,0"], 3, "tile_row"),
        (["001,A,Quận,Quận A,3,0,20"], 2, "tile_col"),
        (["001,A,Quận,Quận A,-1,0,0"], 2, "units"),
    ],
)
def test_a_tile_map_has_one_place_for_each_district(rows: list[str], row: int, field: str) -> None:
    with pytest.raises(RosterError) as fault:
        parse_districts(roster(*rows, header=TILES))

    assert (fault.value.row, fault.value.field) == (row, field)
