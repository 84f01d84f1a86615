"""What the sites of one meeting are called, and how they are found."""

from collections.abc import Callable, Collection, Iterable
from typing import Final

from room_manager.ids import HOST, SiteId
from room_manager.roster.builtin import hanoi_districts
from room_manager.roster.search import Index
from room_manager.roster.units import Unit
from signaling.wire.rest import DistrictInfo, RosterSite
from signaling.wire.server import SiteRef, SiteRow

HOST_NAME: Final = "Điểm cầu Thành phố"


class Roll:
    """The units of one meeting and the host."""

    def __init__(self, units: Iterable[Unit], simulated: Collection[SiteId] = ()) -> None:
        self._units = {unit.code: unit for unit in units}
        self._simulated = frozenset(simulated)
        self._index = Index(self._units.values())
        self._refs = {
            unit.code: SiteRef(
                unit.code, unit.full_name, unit.district_full_name, unit.code in self._simulated
            )
            for unit in self._units.values()
        }
        self._refs[HOST] = SiteRef(HOST, HOST_NAME, "")
        self._sort = {unit.code: unit.sort_key() for unit in self._units.values()}

    def ref(self, site: SiteId) -> SiteRef:
        """What to call a site; one whose unit is gone from the roster is called by its code."""
        return self._refs.get(site) or SiteRef(site, site, "")

    def is_simulated(self, site: SiteId) -> bool:
        return site in self._simulated

    def search(
        self, query: str, district: str | None = None, fits: Callable[[SiteId], bool] = lambda _: True
    ) -> list[SiteId]:
        """The units that match, without accents, the best first; the host is not among them."""
        return [unit.code for unit in self._index.search(query, district) if fits(unit.code)]

    def row(self, site: SiteId, now: SiteRow) -> RosterSite:
        """A unit's names beside where it is now."""
        unit = self._units[site]
        state = {name: getattr(now, name) for name in SiteRow.__struct_fields__}
        return RosterSite(
            **state,
            name=unit.full_name,
            district=unit.district_full_name,
            district_code=unit.district_code,
            sort=self._sort[site],
        )

    def districts(self) -> tuple[DistrictInfo, ...]:
        """The districts of this meeting's units, each with its place on the schematic map."""
        count: dict[str, int] = {}
        for unit in self._units.values():
            count[unit.district_code] = count.get(unit.district_code, 0) + 1
        return tuple(
            DistrictInfo(known.code, known.full_name, known.row, known.col, count[known.code])
            for known in hanoi_districts()
            if known.code in count
        )
