/** Words of rollouts, and what is counted of a ring. Pure. */
import { clock, locale, number, type Language } from "../../shared/i18n";
import type { BundleKind, RingRow, RolloutRow, RolloutState, StepCounts } from "../../shared/fleet-wire";
import type { Key, Translate } from "../i18n";
import { viRollouts } from "../i18n/vi-rollouts";
import type { Tone } from "../ui";

export type Step = keyof StepCounts;

/** In the order of a bar: done, under way, not yet, gone wrong. */
export const STEPS: readonly Step[] = [
  "installed",
  "installing",
  "downloaded",
  "downloading",
  "offered",
  "waiting",
  "failed",
  "returned",
  "left_out",
];

export const TONES: Readonly<Record<RolloutState, Tone>> = {
  draft: "quiet",
  "awaiting-approval": "warn",
  running: "info",
  paused: "warn",
  stopped: "bad",
  finished: "ok",
};

export function titleOf(t: Translate, row: RolloutRow): string {
  if (row.returns !== null) return t("rollouts.return.title", { version: row.version });
  return row.title === "" ? t("rollouts.untitled", { version: row.version }) : row.title;
}

export function kindWord(t: Translate, kind: BundleKind): string {
  return t(`rollouts.kind.${kind}`);
}

/** Devices that are to have it. */
export function due(ring: RingRow): number {
  return ring.size - ring.counts.left_out;
}

export function total(rings: readonly RingRow[], step: Step): number {
  return rings.reduce((sum, ring) => sum + ring.counts[step], 0);
}

/** Why, in a sentence; a code this page does not know yet is shown as it is. */
export function codeWord(t: Translate, code: string): string {
  const key = `rollouts.code.${code}`;
  return Object.hasOwn(viRollouts, key) ? (t as (key: Key) => string)(key as Key) : code;
}

export function percent(share: number, of: Language, digits = 0): string {
  return new Intl.NumberFormat(locale(of), { style: "percent", maximumFractionDigits: digits }).format(share);
}

/** Minutes of the day as on a clock: 1320 is 22:00. */
export function minuteWord(minute: number): string {
  const within = minute % 1440;
  return `${String(Math.floor(within / 60)).padStart(2, "0")}:${String(within % 60).padStart(2, "0")}`;
}

/** The same back; null: not a time. */
export function minuteOf(text: string): number | null {
  const found = /^(\d{2}):(\d{2})$/.exec(text);
  if (found === null) return null;
  const minute = Number(found[1]) * 60 + Number(found[2]);
  return minute < 1440 ? minute : null;
}

/** "12 MB", "1,5 MB", "340 KB"; MB of 1,048,576 bytes, as file managers show them. */
export function sizeWord(bytes: number): string {
  const mb = bytes / 1_048_576;
  if (mb < 1) return `${number(Math.max(1, Math.round(bytes / 1024)))} KB`;
  return `${number(mb < 10 ? Math.round(mb * 10) / 10 : Math.round(mb))} MB`;
}

/** "27/11/2031". */
export function dayWord(at: number, of: Language): string {
  return new Intl.DateTimeFormat(locale(of), { day: "2-digit", month: "2-digit", year: "numeric", timeZone: "Asia/Ho_Chi_Minh" }).format(at * 1000);
}

export function timeWord(at: number): string {
  return clock(at);
}
