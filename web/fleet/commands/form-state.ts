/** What is filled in, and what is asked for by it. Pure. */
import type { ActsAnswer, AskPlan } from "../../shared/fleet-wire";
import type { Act, ActName } from "./words";

export const SESSIONS = ["wait", "force-30", "force-10", "force-2", "now"] as const;
export type Session = (typeof SESSIONS)[number];
const FORCE_AFTER_S: Readonly<Partial<Record<Session, number>>> = { "force-30": 1_800, "force-10": 600, "force-2": 120 };
export const HANOI_AHEAD_S = 7 * 3_600;

export interface Form {
  readonly act: ActName;
  readonly on: boolean;
  readonly percent: number;
  readonly hours: number;
  readonly message: string;
  readonly session: Session;
  readonly at: string; // of a datetime-local; empty: now
  readonly ttl_s: number | null; // null: the act's own
  readonly why: string;
}

export function emptyForm(act: ActName, message: string): Form {
  return { act, on: true, percent: 60, hours: 6, message, session: "wait", at: "", ttl_s: null, why: "" };
}

/** Null while something is missing. */
export function askedBy(form: Form, acts: ActsAnswer): { readonly do: Act; readonly plan: AskPlan; readonly why: string } | null {
  const info = acts.acts.find(({ act }) => act === form.act);
  const why = form.why.trim();
  if (info === undefined || why.length < 3) return null;
  const todo = actOf(form);
  if (todo === null) return null;
  const disturbs = waits(form, acts) === "disturbs";
  return {
    do: todo,
    why,
    plan: {
      ttl_s: form.ttl_s,
      waits_for_session: disturbs && form.session === "now" ? false : null,
      force_after_s: disturbs ? (FORCE_AFTER_S[form.session] ?? null) : null,
      not_before: form.at === "" ? null : Date.parse(`${form.at}Z`) / 1000 - HANOI_AHEAD_S,
    },
  };
}

function actOf(form: Form): Act | null {
  switch (form.act) {
    case "set-screen":
      return { act: "set-screen", on: form.on };
    case "set-volume":
      return { act: "set-volume", share: form.percent / 100 };
    case "collect-logs":
      return { act: "collect-logs", hours: form.hours };
    case "take-out-of-service":
      return form.message.trim() === "" ? null : { act: "take-out-of-service", message: form.message.trim() };
    default:
      return { act: form.act };
  }
}

/** What the act is to a resident who is being served. */
export function waits(form: Form, acts: ActsAnswer): string {
  if (form.act === "set-screen" && form.on) return "harmless";
  return acts.acts.find(({ act }) => act === form.act)?.beside ?? "harmless";
}

/** Does it need a second person? The server decides; this only says so beforehand. */
export function needsSecond(form: Form, acts: ActsAnswer, devices: number): boolean {
  const info = acts.acts.find(({ act }) => act === form.act);
  if (info === undefined) return false;
  const soon = form.session === "now" || (FORCE_AFTER_S[form.session] ?? Infinity) < acts.forced_soon_s;
  const harmless = form.act === "set-screen" && form.on;
  return (
    info.danger === "always" ||
    (info.danger === "in-bulk" && !harmless && devices >= acts.bulk_is_many) ||
    (waits(form, acts) === "disturbs" && soon)
  );
}
