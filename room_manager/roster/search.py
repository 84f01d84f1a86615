"""Finding units as people type: without accents, in part, by code, or by the first letters."""

from collections.abc import Iterable
from typing import Final

from room_manager.roster.folding import fold
from room_manager.roster.units import Unit

_SHORT_KINDS: Final = {
    "phuong": "p",
    "xa": "x",
    "thi tran": "tt",
    "quan": "q",
    "huyen": "h",
    "thi xa": "tx",
    "thanh pho": "tp",
}


class Index:
    """Units made ready for searching: built once, asked often."""

    def __init__(self, units: Iterable[Unit]) -> None:
        self._entries = [_Entry(unit) for unit in sorted(units, key=Unit.sort_key)]

    def search(self, query: str, district: str | None = None) -> list[Unit]:
        """The units that fit, the best first, those that fit equally well in Vietnamese order.

        Each word of the query must begin a word of the unit's name, kind or district, their short forms
        (p., x., tt., q., h., tx.), their first letters ("hbt" for Hai Bà Trưng), or its code. An empty
        query fits every unit.

        Args:
            query: What somebody typed.
            district: A district's code; only its units fit then.
        """
        wanted = fold(query)
        words = wanted.split()
        found = [
            (entry.rank(wanted), entry.unit)
            for entry in self._entries
            if (district is None or entry.unit.district_code == district) and entry.fits(words)
        ]
        found.sort(key=lambda ranked: ranked[0])
        return [unit for _, unit in found]


def search(units: Iterable[Unit], query: str, district: str | None = None) -> list[Unit]:
    """One search over units that will not be asked again; else keep an :class:`Index`."""
    return Index(units).search(query, district)


class _Entry:
    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        name, full_name = fold(unit.name), fold(unit.full_name)
        district, full_district = fold(unit.district_name), fold(unit.district_full_name)
        short_name, short_district = _shortened(full_name, name), _shortened(full_district, district)
        self._names = (f" {name} ", f" {full_name} ", f" {short_name} ")
        self._text = f" {full_name} {full_district} {short_name} {short_district} "
        run_together = (*_run_together(name), *_run_together(district))
        self._words = frozenset((*self._text.split(), *run_together, unit.code))

    def fits(self, words: list[str]) -> bool:
        return all(any(own.startswith(word) for own in self._words) for word in words)

    def rank(self, wanted: str) -> int:
        """How well: 0 the name itself, 1 its beginning, 2 words of it, 3 words beside it, 4 otherwise."""
        if f" {wanted} " in self._names:
            return 0
        if any(name.startswith(f" {wanted}") for name in self._names):
            return 1
        if any(f" {wanted}" in name for name in self._names):
            return 2
        return 3 if f" {wanted}" in self._text else 4


def _shortened(full_name: str, name: str) -> str:
    """ "phuong duc thang" as "p duc thang"."""
    kind = full_name.removesuffix(name).strip()
    return f"{_SHORT_KINDS.get(kind, '')} {name}".strip()


def _run_together(name: str) -> tuple[str, ...]:
    """ "hai ba trung" is also looked for as "haibatrung" and "hbt"."""
    words = name.split()
    return ("".join(words), "".join(word[0] for word in words)) if len(words) > 1 else ()
