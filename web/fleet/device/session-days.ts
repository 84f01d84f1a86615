/** Hours of sessions gathered into days of Hà Nội. Pure. */
import type { SessionHour } from "../../shared/fleet-wire";

export const COUNTED = ["begun", "finished", "abandoned", "scans", "scans_failed", "help_calls"] as const;
export type Counts = Readonly<Record<(typeof COUNTED)[number], number>>;

/** One hour's counts under their names. */
export interface CountedHour {
  readonly hour: number; // since 1970, UTC
  readonly counts: Counts;
}

export function counted([hour, begun, finished, abandoned, scans, scans_failed, help_calls]: SessionHour): CountedHour {
  return { hour, counts: { begun, finished, abandoned, scans, scans_failed, help_calls } };
}

const HANOI_HOURS = 7; // ahead of UTC, all year

export interface SessionDay {
  readonly at: number; // seconds, UTC, of its first hour
  readonly counts: Counts;
}

/** The newest day first. */
export function byDay(hours: readonly CountedHour[]): readonly SessionDay[] {
  const days = new Map<number, CountedHour[]>();
  for (const one of hours) {
    const day = Math.floor((one.hour + HANOI_HOURS) / 24);
    days.set(day, [...(days.get(day) ?? []), one]);
  }
  return [...days]
    .sort(([a], [b]) => b - a)
    .map(([day, of]) => ({ at: (day * 24 - HANOI_HOURS) * 3_600, counts: sum(of) }));
}

export function sum(hours: readonly CountedHour[]): Counts {
  const total = (name: (typeof COUNTED)[number]) => hours.reduce((all, one) => all + one.counts[name], 0);
  return {
    begun: total("begun"),
    finished: total("finished"),
    abandoned: total("abandoned"),
    scans: total("scans"),
    scans_failed: total("scans_failed"),
    help_calls: total("help_calls"),
  };
}
