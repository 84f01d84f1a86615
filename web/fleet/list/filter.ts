/** Which devices are listed, in which order, and how the filter is written into the address. Pure. */
import { fold, matches } from "../../shared/fold";
import type { DeviceKind, DeviceRow, Status } from "../../shared/fleet-wire";
import type { Places } from "../store/fleet";
import { RANK, STATUSES } from "../ui/status";
import type { Sort } from "../ui/table";

export interface Filter {
  readonly text: string;
  readonly status: ReadonlySet<Status>; // none: all
  readonly district: string;
  readonly unit: string;
  readonly building: string | null; // "" is the unit's own seat
  readonly kind: DeviceKind | "";
  readonly version: string; // of the agent
  readonly flapping: boolean;
  readonly session: boolean;
  readonly incident: string;
}

export const NO_FILTER: Filter = {
  text: "",
  status: new Set(),
  district: "",
  unit: "",
  building: null,
  kind: "",
  version: "",
  flapping: false,
  session: false,
  incident: "",
};

export const WORST_FIRST: Sort = { by: "status", down: false };
const COLUMNS: ReadonlySet<string> = new Set(["status", "name", "since", "seen"]);

export function fromQuery(query: URLSearchParams): { readonly filter: Filter; readonly sort: Sort } {
  const kind = query.get("kind");
  const sort = query.get("sort") ?? "";
  const by = sort.replace(/^-/, "");
  return {
    filter: {
      text: query.get("q") ?? "",
      status: new Set((query.get("status") ?? "").split(" ").filter(isStatus)),
      district: query.get("district") ?? "",
      unit: query.get("unit") ?? "",
      building: query.get("building"),
      kind: kind === "kiosk" || kind === "bridge-point" ? kind : "",
      version: query.get("version") ?? "",
      flapping: query.get("flapping") === "1",
      session: query.get("session") === "1",
      incident: query.get("incident") ?? "",
    },
    sort: COLUMNS.has(by) ? { by, down: sort.startsWith("-") } : WORST_FIRST,
  };
}

/** The query of the address; empty for no filter in the usual order. */
export function toQuery(filter: Filter, sort: Sort): string {
  const query = new URLSearchParams();
  if (filter.text.trim() !== "") query.set("q", filter.text);
  if (filter.status.size > 0) query.set("status", STATUSES.filter((one) => filter.status.has(one)).join(" "));
  for (const name of ["district", "unit", "kind", "version", "incident"] as const) {
    if (filter[name] !== "") query.set(name, filter[name]);
  }
  if (filter.building !== null) query.set("building", filter.building);
  if (filter.flapping) query.set("flapping", "1");
  if (filter.session) query.set("session", "1");
  if (sort.by !== WORST_FIRST.by || sort.down) query.set("sort", `${sort.down ? "-" : ""}${sort.by}`);
  return query.toString();
}

export function isFiltered(filter: Filter): boolean {
  return toQuery(filter, WORST_FIRST) !== "";
}

/** What a device is searched by, folded; kept per row, since a changed row is another value. */
export class Searchable {
  private folded = new WeakMap<DeviceRow, string>();

  constructor(readonly places: Places | null) {}

  of(row: DeviceRow): string {
    const known = this.folded.get(row);
    if (known !== undefined) return known;
    const unit = this.places?.unit.get(row.unit)?.name ?? "";
    const district = this.places?.district.get(row.district)?.name ?? "";
    const text = fold(`${row.name} ${row.building} ${unit} ${district} ${row.id} ${row.unit}`);
    this.folded.set(row, text);
    return text;
  }
}

/** Everything but the status: what the chips count. */
export function within(rows: Iterable<DeviceRow>, filter: Filter, searchable: Searchable): readonly DeviceRow[] {
  const words = fold(filter.text);
  const found: DeviceRow[] = [];
  for (const row of rows) {
    if (filter.district !== "" && row.district !== filter.district) continue;
    if (filter.unit !== "" && row.unit !== filter.unit) continue;
    if (filter.building !== null && row.building !== filter.building) continue;
    if (filter.kind !== "" && row.kind !== filter.kind) continue;
    if (filter.version !== "" && (row.agent ?? "") !== filter.version) continue;
    if (filter.flapping && row.flapping !== true) continue;
    if (filter.session && row.in_session !== true) continue;
    if (filter.incident !== "" && row.incident !== filter.incident) continue;
    if (words !== "" && !matches(searchable.of(row), words)) continue;
    found.push(row);
  }
  return found;
}

export function byStatus(rows: readonly DeviceRow[], status: ReadonlySet<Status>): readonly DeviceRow[] {
  return status.size === 0 ? rows : rows.filter((row) => status.has(row.status));
}

export function counts(rows: readonly DeviceRow[]): ReadonlyMap<Status, number> {
  const found = new Map<Status, number>();
  for (const { status } of rows) found.set(status, (found.get(status) ?? 0) + 1);
  return found;
}

/** Worst first; of two as bad, the one that has just become so comes first: it is news. */
export function ordered(rows: readonly DeviceRow[], { by, down }: Sort): readonly DeviceRow[] {
  const way = down ? -1 : 1;
  const compare: Readonly<Record<string, (a: DeviceRow, b: DeviceRow) => number>> = {
    status: (a, b) => worse(a, b) * way,
    name: (a, b) => COLLATOR.compare(a.name, b.name) * way,
    since: (a, b) => (b.since - a.since) * way,
    seen: (a, b) => ((b.seen_at ?? 0) - (a.seen_at ?? 0)) * way,
  };
  const order = compare[by] ?? worse;
  return [...rows].sort((a, b) => order(a, b) || (a.id < b.id ? -1 : 1));
}

const COLLATOR = new Intl.Collator("vi", { numeric: true });

export function worse(a: DeviceRow, b: DeviceRow): number {
  return (RANK.get(a.status) ?? 0) - (RANK.get(b.status) ?? 0) || b.since - a.since;
}

/** The versions that run, the commonest first. */
export function versions(rows: Iterable<DeviceRow>): readonly string[] {
  const found = new Map<string, number>();
  for (const { agent } of rows) if (agent !== undefined && agent !== "") found.set(agent, (found.get(agent) ?? 0) + 1);
  return [...found].sort((a, b) => b[1] - a[1]).map(([version]) => version);
}

function isStatus(word: string): word is Status {
  return (STATUSES as readonly string[]).includes(word);
}
