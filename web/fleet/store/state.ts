/**
 * All rows of the fleet as one value, and what each word of the feed makes of it. Pure.
 *
 * Rows come from two sides, pages by REST and changes by the feed, in any order: of two of one id the higher
 * version holds. A server that has begun anew counts from the beginning again, so what was known before this
 * connection yields to whatever is heard on it, and what is not heard of again is dropped when all pages are read.
 */
import type { DeviceRow } from "../../shared/fleet-wire";

export interface FleetState {
  readonly rows: ReadonlyMap<string, DeviceRow>;
  readonly status: "loading" | "here" | "failed";
  /** Ids heard of since the connection began, while not all pages are read. */
  readonly fresh: ReadonlySet<string> | null;
  /** Ids that have left this person's sight since the connection began. */
  readonly gone: ReadonlySet<string>;
}

export const NOTHING: FleetState = { rows: new Map(), status: "loading", fresh: null, gone: new Set() };

/** A connection begins. What is known stays on the page. */
export function begins(state: FleetState): FleetState {
  return { ...state, fresh: new Set(), gone: new Set() };
}

/** Rows by the feed. */
export function heard(state: FleetState, changed: readonly DeviceRow[], left: readonly string[]): FleetState {
  const next = put(state, changed);
  if (left.length === 0) {
    if (!changed.some(({ id }) => state.gone.has(id))) return next;
    const gone = new Set(state.gone);
    for (const { id } of changed) gone.delete(id);
    return { ...next, gone };
  }
  const rows = new Map(next.rows);
  const gone = new Set(next.gone);
  for (const { id } of changed) gone.delete(id);
  for (const id of left) {
    rows.delete(id);
    gone.add(id);
  }
  return { ...next, rows, gone };
}

/** A page by REST; one that has left since is not put back. */
export function read(state: FleetState, page: readonly DeviceRow[]): FleetState {
  return put(
    state,
    page.filter(({ id }) => !state.gone.has(id)),
  );
}

/** All pages are read. */
export function ends(state: FleetState): FleetState {
  const { fresh } = state;
  if (fresh === null) return { ...state, status: "here" };
  const rows = new Map([...state.rows].filter(([id]) => fresh.has(id)));
  return { ...state, rows: rows.size === state.rows.size ? state.rows : rows, status: "here", fresh: null };
}

/** The pages could not be read; what is there stays. */
export function fails(state: FleetState): FleetState {
  return state.status === "here" ? state : { ...state, status: "failed" };
}

function put(state: FleetState, changed: readonly DeviceRow[]): FleetState {
  const rows = new Map(state.rows);
  const fresh = state.fresh === null ? null : new Set(state.fresh);
  for (const row of changed) {
    const before = rows.get(row.id);
    const comparable = before !== undefined && (fresh === null || fresh.has(row.id));
    if (!comparable || row.version > before.version) rows.set(row.id, row);
    fresh?.add(row.id);
  }
  return { ...state, rows, fresh };
}
