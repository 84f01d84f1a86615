/** Which incidents the board shows. Pure. */
import type { IncidentRow } from "../../shared/fleet-wire";
import { fold, matches as found } from "../../shared/fold";

export interface Filter {
  readonly text: string;
  readonly district: string;
  readonly severities: ReadonlySet<string>;
  /** "", "nobody" or "mine". */
  readonly whose: string;
  readonly account: string;
}

export function matches(row: IncidentRow, filter: Filter): boolean {
  if (filter.severities.size > 0 && !filter.severities.has(row.severity)) return false;
  if (filter.district !== "" && row.district !== filter.district) return false;
  const holder = holderOf(row);
  if (filter.whose === "nobody" && holder !== "") return false;
  if (filter.whose === "mine" && holder !== filter.account) return false;
  return found(fold(`${row.place.vi} ${row.sentence.vi} ${row.sentence.en}`), fold(filter.text));
}

/** Who has it: whom it was given to, else who acknowledged it; empty: nobody. */
export function holderOf(row: IncidentRow): string {
  return (row.assignee ?? "") || (row.acknowledged_by ?? "");
}
