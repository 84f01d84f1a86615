/** The roll of bridge points: who is listed under which filter. Pure. */
import { fold, matches } from "../../shared/fold";
import type { Rows } from "../../shared/state";
import type { Step } from "../../shared/steps";
import type { RosterSite } from "../../shared/wire";
import { lookOf, type Look } from "./look";

export interface Filter {
  readonly query: string;
  readonly look: Look | null;
  readonly district: string | null;
  readonly hand: boolean;
  readonly step: Step | null;
}

export const NO_FILTER: Filter = { query: "", look: null, district: null, hand: false, step: null };

/** A site with what its search is done on. */
export interface Listed {
  readonly site: RosterSite;
  readonly folded: string;
}

export function listed(sites: readonly RosterSite[]): readonly Listed[] {
  return sites.map((site) => ({ site, folded: fold(`${site.name} ${site.district} ${site.code}`) }));
}

export function filtered(
  all: readonly Listed[],
  rows: Rows,
  floor: string | null,
  { query, look, district, hand, step }: Filter,
): readonly RosterSite[] {
  const words = fold(query);
  return all
    .filter(({ site, folded }) => {
      if (district !== null && site.district_code !== district) return false;
      const row = rows.get(site.code);
      if (hand && row?.hand !== true) return false;
      if (step !== null && (row?.state !== "present" || row.step !== step)) return false;
      if (look !== null && !counts(lookOf(row, floor), look)) return false;
      return matches(folded, words);
    })
    .map(({ site }) => site);
}

/** A site that speaks or receives less is present all the same. */
export function counts(is: Look, wanted: Look): boolean {
  return is === wanted || (wanted === "present" && (is === "floor" || is === "weak" || is === "audio"));
}

/** "Quận Đống Đa" → "Đống Đa": the kind of unit is left out where there is no room for it. */
export function shortName(name: string): string {
  return name.replace(/^(Quận|Huyện|Thị xã|Thành phố|Phường|Xã|Thị trấn) /, "");
}
