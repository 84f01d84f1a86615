/** What a command says on the page. Pure. */
import type { CommandRow, CommandState } from "../../shared/fleet-wire";
import { number, type Language } from "../../shared/i18n";
import type { Key, Translate } from "../i18n";
import type { Tone } from "../ui";
import { TABLES } from "../i18n";

export type Act = CommandRow["do"];
export type ActName = Act["act"];
export type Outcome = NonNullable<CommandRow["outcome"]>;

export const TONES: Readonly<Record<CommandState, Tone>> = {
  "awaiting-approval": "warn",
  pending: "quiet",
  sent: "info",
  delivered: "info",
  running: "info",
  succeeded: "ok",
  failed: "bad",
  expired: "warn",
  cancelled: "quiet",
};

/** The act with what it is given: "Đặt âm lượng 40%". */
export function actWords(t: Translate, act: Act): string {
  switch (act.act) {
    case "set-screen":
      return t(act.on ? "act.set-screen.on" : "act.set-screen.off");
    case "set-volume":
      return t("act.set-volume.to", { n: Math.round(act.share * 100) });
    case "collect-logs":
      return t("act.collect-logs.of", { n: act.hours ?? 6 });
    default:
      return t(`act.${act.act}`);
  }
}

export function isOpen(state: CommandState): boolean {
  return state !== "succeeded" && state !== "failed" && state !== "expired" && state !== "cancelled";
}

/** Its hour has not come. The page's clock goes in steps of some seconds. */
export function isPlanned(row: Pick<CommandRow, "state" | "starts_at">, now: number): boolean {
  return row.state === "pending" && row.starts_at > now + 8;
}

/** Waiting for its hour is another thing than waiting for a device. */
export function stateWords(t: Translate, row: Pick<CommandRow, "state" | "starts_at">, now: number): string {
  return t(isPlanned(row, now) ? "command.planned" : `command.${row.state}`);
}

export function findingName(t: Translate, name: string): string {
  const key = `finding.${name}`;
  return Object.hasOwn(TABLES.vi, key) ? (t as (key: Key) => string)(key as Key) : name;
}

/** In the unit that its name says. What state a camera or printer is in is said in that part's own words. */
export function findingValue(t: Translate, of: Language, act: ActName, name: string, value: string | number | boolean): string {
  if (typeof value === "boolean") return t(value ? "ui.yes" : "ui.no");
  if (value === "") return t("ui.none");
  if (typeof value === "string") {
    const key = `${act.replace("test-", "")}.${value}`;
    return name === "state" && Object.hasOwn(TABLES.vi, key) ? (t as (key: Key) => string)(key as Key) : value;
  }
  if (name.endsWith("share") || name === "brightness") return `${number(Math.round(value * 1000) / 10, of)}%`;
  if (name.endsWith("_bps")) return number(Math.round(value / 1e5) / 10, of);
  return number(Math.round(value * 100) / 100, of);
}

/** A key that makes asking twice asking once. */
export function requestKey(): string {
  return crypto.randomUUID();
}
