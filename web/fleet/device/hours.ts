/** Opening hours: said in a line, edited day by day, checked. Pure. Minutes of the day in Hà Nội's time; Monday is 0. */
import type { Hours } from "../../shared/fleet-wire";
import type { Translate } from "../i18n";

const DAYS = [0, 1, 2, 3, 4, 5, 6] as const;
export type Day = (typeof DAYS)[number];
export { DAYS };

export const PRESETS: Readonly<Record<"office" | "daily" | "always", readonly Hours[]>> = {
  office: [0, 1, 2, 3, 4].flatMap((weekday) => [
    { weekday, from_minute: 450, to_minute: 690 },
    { weekday, from_minute: 780, to_minute: 1020 },
  ]),
  daily: DAYS.map((weekday) => ({ weekday, from_minute: 420, to_minute: 1260 })),
  always: [],
};

export function ordered(hours: readonly Hours[]): readonly Hours[] {
  return [...hours].sort((a, b) => a.weekday - b.weekday || a.from_minute - b.from_minute);
}

/** Each stretch ends after it begins, and none begins before the one before it has ended. */
export function isSound(hours: readonly Hours[]): boolean {
  return ordered(hours).every(
    (one, i, all) =>
      one.from_minute < one.to_minute &&
      (all[i - 1]?.weekday !== one.weekday || (all[i - 1]?.to_minute ?? 0) <= one.from_minute),
  );
}

export function same(a: readonly Hours[], b: readonly Hours[]): boolean {
  return JSON.stringify(ordered(a)) === JSON.stringify(ordered(b));
}

/** 450 → "07:30"; midnight at the end of a day is 24:00. */
export function timeOf(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
}

/** "07:30" → 450; null if it is no time. */
export function minuteOf(text: string): number | null {
  const [, hour, minute] = /^(\d\d?):(\d\d)$/.exec(text.trim()) ?? [];
  if (hour === undefined || minute === undefined) return null;
  const all = Number(hour) * 60 + Number(minute);
  return Number(minute) < 60 && all <= 1440 ? all : null;
}

/** "Thứ Hai–Thứ Sáu 07:30–11:30, 13:00–17:00; Thứ Bảy 08:00–12:00". */
export function hoursWords(t: Translate, hours: readonly Hours[]): string {
  if (hours.length === 0) return t("hours.always");
  const by = DAYS.map((day) =>
    ordered(hours)
      .filter(({ weekday }) => weekday === day)
      .map((one) => `${timeOf(one.from_minute)}–${timeOf(one.to_minute)}`)
      .join(", "),
  );
  const runs: { from: Day; to: Day; text: string }[] = [];
  for (const day of DAYS) {
    const text = by[day] ?? "";
    const last = runs.at(-1);
    if (text === "") continue;
    if (last !== undefined && last.text === text && last.to === day - 1) last.to = day;
    else runs.push({ from: day, to: day, text });
  }
  return runs
    .map(({ from, to, text }) => `${from === to ? t(`day.${from}`) : `${t(`day.${from}`)}–${t(`day.${to}`)}`} ${text}`)
    .join("; ");
}
