/** Hours of sessions gathered into days of Hà Nội. Pure. */
import type { SessionHour } from "../../shared/fleet-wire";

export const COUNTED = ["begun", "finished", "abandoned", "scans", "scans_failed", "help_calls"] as const;
export type Counts = Readonly<Record<(typeof COUNTED)[number], number>>;

const HANOI_HOURS = 7; // ahead of UTC, all year

export interface SessionDay {
  readonly at: number; // seconds, UTC, of its first hour
  readonly counts: Counts;
}

/** The newest day first. */
export function byDay(hours: readonly SessionHour[]): readonly SessionDay[] {
  const days = new Map<number, SessionHour[]>();
  for (const one of hours) {
    const day = Math.floor((one.hour + HANOI_HOURS) / 24);
    days.set(day, [...(days.get(day) ?? []), one]);
  }
  return [...days]
    .sort(([a], [b]) => b - a)
    .map(([day, of]) => ({ at: (day * 24 - HANOI_HOURS) * 3_600, counts: sum(of) }));
}

export function sum(hours: readonly SessionHour[]): Counts {
  const total = (name: (typeof COUNTED)[number]) => hours.reduce((all, one) => all + one[name], 0);
  return {
    begun: total("begun"),
    finished: total("finished"),
    abandoned: total("abandoned"),
    scans: total("scans"),
    scans_failed: total("scans_failed"),
    help_calls: total("help_calls"),
  };
}
