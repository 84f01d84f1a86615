/** Which sites the wall shows, in which order, on which page. Pure. */
import type { KnownRow, Rows } from "../../shared/state";
import { STEPS } from "../../shared/steps";
import { MAX_WALL, type RosterSite, type SiteRow } from "../../shared/wire";

export interface WallFilter {
  readonly district: string | null;
  readonly weakFirst: boolean;
}

export const NO_WALL_FILTER: WallFilter = { district: null, weakFirst: false };

/** It is here, and its camera is on. */
export function hasPicture(row: SiteRow | undefined): boolean {
  return row?.state === "present" && row.camera;
}

/** The weaker, the higher. */
function weakness(row: KnownRow | undefined): number {
  const grade = row?.line === "bad" ? 2 : row?.line === "weak" ? 1 : 0;
  return (row?.step == null ? 0 : STEPS.indexOf(row.step)) * 3 + grade;
}

/** The codes of all sites that fit, in the order of the roll or the weakest first. */
export function wallOrder(sites: readonly RosterSite[], rows: Rows, filter: WallFilter): readonly string[] {
  const fitting = sites.filter(
    ({ code, district_code }) =>
      (filter.district === null || filter.district === district_code) && hasPicture(rows.get(code)),
  );
  if (filter.weakFirst) fitting.sort((a, b) => weakness(rows.get(b.code)) - weakness(rows.get(a.code)));
  return fitting.map(({ code }) => code);
}

/**
 * The order that was, with who has gone left out and newcomers at the end: nobody's picture moves by itself.
 * Who is on the page that is looked at stays in its place even when it has gone.
 */
export function kept(before: readonly string[], now: readonly string[], page: number): readonly string[] {
  const fits = new Set(now);
  const seen = new Set(onPage(before, page));
  const staying = before.filter((code) => fits.has(code) || seen.has(code));
  const there = new Set(staying);
  const next = [...staying, ...now.filter((code) => !there.has(code))];
  return next.length === before.length && next.every((code, i) => code === before[i]) ? before : next;
}

export function onPage(order: readonly string[], page: number): readonly string[] {
  return order.slice(page * MAX_WALL, (page + 1) * MAX_WALL);
}

export function pagesOf(total: number): number {
  return Math.max(1, Math.ceil(total / MAX_WALL));
}

const COLUMNS = 5;

/** Where an arrow leads among the pictures of a page; one's own place at an edge. */
export function moved(at: number, key: string, shown: number): number {
  const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -COLUMNS, ArrowDown: COLUMNS }[key] ?? 0;
  const to = at + by;
  return to < 0 || to >= shown ? at : to;
}
