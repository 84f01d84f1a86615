"""Where simulated devices stand: spread over the roster's units, several in a building. Pure."""

import csv
import hashlib
import io
import random
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from kiosk_client.errors import AgentError

BUILDINGS: Final = (
    "Nhà văn hóa",
    "Chung cư CT{n}",
    "Tòa nhà N{n}",
    "Bộ phận một cửa",
    "Trung tâm thương mại {n}",
)
SPOTS: Final = ("Sảnh A", "Sảnh B", "Cạnh thang máy", "Phòng chờ", "Cửa ra vào", "Tầng hầm")
SIZES: Final = (1, 2, 3, 4, 6)
WEIGHTS: Final = (3, 4, 3, 2, 1)


class NoUnits(AgentError):
    """Nowhere to stand."""

    code = "no-units"


class Unit(Struct, frozen=True):
    """Of the city's roster, as far as it is needed here."""

    code: str
    district: str


class Seat(Struct, frozen=True):
    """One device's place."""

    number: int
    unit: str
    district: str
    building: str
    spot: str

    @property
    def name(self) -> str:
        return f"Ki-ốt mô phỏng {self.number + 1:04d} · {self.spot}"


def seats(many: int, units: Sequence[Unit], seed: int) -> list[Seat]:
    """So many places; the same for the same units and seed. Raises ``NoUnits``."""
    if not units:
        raise NoUnits("the city's roster is empty: give it units first (diemcau roster import)")
    lot = random.Random(f"seats {seed}")  # noqa: S311 - where nobody stands is no secret
    order = sorted(units, key=lambda unit: unit.code)
    lot.shuffle(order)
    found: list[Seat] = []
    building = 0
    while len(found) < many:
        unit = order[building % len(order)]
        word = lot.choice(BUILDINGS).format(n=lot.randint(1, 9))
        name = f"{word} ({building // len(order) + 1})" if building >= len(order) else word
        for spot in lot.sample(SPOTS, lot.choices(SIZES, WEIGHTS)[0])[: many - len(found)]:
            found.append(Seat(len(found), unit.code, unit.district, name, spot))
        building += 1
    return found


def secret(seed: int, number: int) -> bytes:
    """The key of a simulated device: the same for the same seed, so that a crowd can come back."""
    return hashlib.sha256(f"diemcau simulated device {seed} {number}".encode()).digest()


def expected_csv(rows: Sequence[tuple[Seat, str]]) -> str:
    """The list by which a city expects them: seat, fingerprint."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("fingerprint", "name", "unit", "building", "floor"))
    for seat, fingerprint in rows:
        writer.writerow((fingerprint, seat.name, seat.unit, seat.building, "1"))
    return text.getvalue()
