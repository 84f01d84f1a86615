/** Clock, turns and idleness, as pure functions of milliseconds. */
import type { Language } from "./words";

const ZONE = "Asia/Ho_Chi_Minh";
export const WARN_S = 20; // before a session ends by itself
export const CARDS = 4; // on a page of the list

export function clock(at_ms: number): string {
  return new Intl.DateTimeFormat("vi", { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: ZONE }).format(at_ms);
}

export function day(at_ms: number, language: Language): string {
  const locale = language === "vi" ? "vi" : "en-GB";
  const written = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "numeric", year: "numeric", timeZone: ZONE }).format(at_ms);
  return written.charAt(0).toUpperCase() + written.slice(1);
}

/** Which of several announcements is on, and how far its time has run (0 to 1), when each has its seconds. */
export function turn(seconds: readonly number[], elapsed_s: number): { readonly index: number; readonly share: number } {
  const round_s = seconds.reduce((sum, one) => sum + one, 0);
  if (round_s <= 0) return { index: 0, share: 0 };
  let left_s = elapsed_s % round_s;
  for (const [index, one] of seconds.entries()) {
    if (left_s < one) return { index, share: left_s / one };
    left_s -= one;
  }
  return { index: 0, share: 0 };
}

/** Seconds until the session ends, once it is time to say so; null before. */
export function warning(idle_s: number, untouched_s: number): number | null {
  const left_s = Math.ceil(idle_s - untouched_s);
  return left_s <= WARN_S ? Math.max(0, left_s) : null;
}

/** One page of a list. */
export function page<T>(all: readonly T[], number: number, size = CARDS): { readonly items: readonly T[]; readonly number: number; readonly of: number } {
  const of = Math.max(1, Math.ceil(all.length / size));
  const within = Math.min(Math.max(0, number), of - 1);
  return { items: all.slice(within * size, (within + 1) * size), number: within, of };
}
