/** What the map shows: devices gathered by district, unit and building, and open incidents by their place. Pure. */
import type { DeviceRow, Reason, Status } from "../../shared/fleet-wire";
import { worse } from "../list/filter";
import { shortName } from "../place-words";
import type { Places } from "../store/fleet";
import { STATUSES, worst } from "../ui/status";

export interface BuildingHealth {
  readonly building: string; // "": the unit's own seat
  readonly devices: readonly DeviceRow[]; // the worst first
  readonly worst: Status;
}

export interface UnitHealth {
  readonly code: string;
  readonly worst: Status;
  readonly counts: ReadonlyMap<Status, number>;
  readonly devices: readonly DeviceRow[];
}

export interface DistrictHealth {
  readonly code: string;
  readonly worst: Status;
  readonly counts: ReadonlyMap<Status, number>;
  readonly total: number;
  readonly units: ReadonlyMap<string, UnitHealth>;
  readonly incidents: ReadonlySet<string>;
  /** Equal for two that look alike on the map: a tile is drawn anew only when it is another. */
  readonly look: string;
}

export function gather(rows: Iterable<DeviceRow>): ReadonlyMap<string, DistrictHealth> {
  const districts = new Map<string, Map<string, DeviceRow[]>>();
  for (const row of rows) {
    let units = districts.get(row.district);
    if (units === undefined) districts.set(row.district, (units = new Map()));
    const devices = units.get(row.unit);
    if (devices === undefined) units.set(row.unit, [row]);
    else devices.push(row);
  }
  return new Map([...districts].map(([code, units]) => [code, district(code, units)]));
}

function district(code: string, devices: ReadonlyMap<string, readonly DeviceRow[]>): DistrictHealth {
  const units = new Map<string, UnitHealth>();
  const incidents = new Set<string>();
  for (const [unit, here] of devices) {
    units.set(unit, { code: unit, worst: worstOf(here), counts: counted(here), devices: here });
    for (const { incident } of here) if (incident != null) incidents.add(incident);
  }
  const all = [...devices.values()].flat();
  const looks = [...units.values()].map((unit) => `${unit.code}${unit.worst}`).sort();
  const counts = counted(all);
  return {
    code,
    worst: worstOf(all),
    counts,
    total: all.length,
    units,
    incidents,
    look: [...looks, ...STATUSES.map((one) => counts.get(one) ?? 0), incidents.size].join(" "),
  };
}

function worstOf(devices: readonly DeviceRow[]): Status {
  return worst(devices.map(({ status }) => status)) ?? "ok";
}

function counted(devices: readonly DeviceRow[]): ReadonlyMap<Status, number> {
  const found = new Map<Status, number>();
  for (const { status } of devices) found.set(status, (found.get(status) ?? 0) + 1);
  return found;
}

/** A unit's buildings, the worst first. */
export function buildings(unit: UnitHealth): readonly BuildingHealth[] {
  const by = new Map<string, DeviceRow[]>();
  for (const row of unit.devices) by.set(row.building, [...(by.get(row.building) ?? []), row]);
  return [...by]
    .map(([building, devices]) => ({ building, devices: devices.sort(worse), worst: worstOf(devices) }))
    .sort((a, b) => STATUSES.indexOf(a.worst) - STATUSES.indexOf(b.worst) || (a.building < b.building ? -1 : 1));
}

/** An open incident, as far as its devices tell. */
export interface IncidentHere {
  readonly id: string;
  readonly worst: Status;
  readonly since: number; // seconds, UTC, of the first of its devices
  readonly devices: number;
  readonly where: string;
  readonly districts: ReadonlySet<string>;
  readonly reason: Reason | null; // of its worst device
}

/** Every open incident: more devices first, then the newer. */
export function incidents(rows: Iterable<DeviceRow>, places: Places | null): readonly IncidentHere[] {
  const by = new Map<string, DeviceRow[]>();
  for (const row of rows) {
    if (row.incident == null) continue;
    const devices = by.get(row.incident);
    if (devices === undefined) by.set(row.incident, [row]);
    else devices.push(row);
  }
  return [...by]
    .map(([id, devices]) => {
      const first = [...devices].sort(worse)[0];
      return {
        id,
        worst: worstOf(devices),
        since: Math.min(...devices.map(({ since }) => since)),
        devices: devices.length,
        where: whereOf(devices, places),
        districts: new Set(devices.map((row) => row.district)),
        reason: first?.reason ?? null,
      };
    })
    .sort((a, b) => b.devices - a.devices || b.since - a.since || (a.id < b.id ? -1 : 1));
}

/** The smallest place that holds them all. */
function whereOf(devices: readonly DeviceRow[], places: Places | null): string {
  const same = <T>(of: (row: DeviceRow) => T): T | null => {
    const all = new Set(devices.map(of));
    return all.size === 1 ? ([...all][0] ?? null) : null;
  };
  if (devices.length === 1 && devices[0] !== undefined) {
    const unit = places?.unit.get(devices[0].unit)?.name ?? devices[0].unit;
    return `${devices[0].name} · ${unit}`;
  }
  const unit = same((row) => row.unit);
  const building = same((row) => row.building);
  const code = same((row) => row.district);
  const district = code === null ? "" : (places?.district.get(code)?.name ?? code);
  if (unit !== null) {
    const name = places?.unit.get(unit)?.name ?? unit;
    return [building ?? "", `${name}, ${shortName(district)}`].filter((part) => part !== "").join(" · ");
  }
  if (code !== null) return district;
  const all = [...new Set(devices.map((row) => row.district))];
  return all.map((one) => shortName(places?.district.get(one)?.name ?? one)).join(", ");
}
