"""A unit of the city: what a bridge point stands for. Data with dates, for units change."""

from msgspec import Struct

from room_manager.ids import SiteId
from room_manager.roster.folding import sort_key


class Unit(Struct, frozen=True):
    """One ward, commune or town. Only ``code`` is unique: several wards share a full name."""

    code: SiteId
    name: str  # "Phúc Xá"
    kind: str  # "Phường"
    full_name: str  # "Phường Phúc Xá"
    district_code: str = ""  # empty where there are no districts, as in Hà Nội since July 2025
    district_name: str = ""  # "Ba Đình"
    district_full_name: str = ""  # "Quận Ba Đình"
    valid_from: str | None = None  # the first day, as 2025-07-01: days compare as text
    valid_to: str | None = None  # the last day

    def is_valid_on(self, day: str) -> bool:
        """Does the unit exist on that day (YYYY-MM-DD)?"""
        begun = self.valid_from is None or self.valid_from <= day
        return begun and (self.valid_to is None or day <= self.valid_to)

    def sort_key(self) -> str:
        """By name without its kind, then by district, then by code; compares as plain text."""
        return f"{sort_key(self.name)} {sort_key(self.district_name)} {self.code}"
