/** A plan while it is being written: what the form holds, and the plan it makes. Pure. */
import type { DeviceKind, Gate, Ring, RolloutPlan, Transfer } from "../../shared/fleet-wire";
import { minuteOf, minuteWord } from "./words";

export interface RingDraft {
  readonly way: "share" | "districts";
  readonly percent: number;
  readonly districts: readonly string[];
}

/** Numbers as a person writes them: per cent, minutes, KB/s. The last ring is always the rest and not kept. */
export interface Draft {
  readonly bundle: string;
  readonly title: string;
  readonly kinds: readonly DeviceKind[];
  readonly rings: readonly RingDraft[];
  readonly advance: number;
  readonly soak: number;
  readonly failed: number;
  readonly least: number;
  readonly experience: boolean;
  readonly rise: number;
  readonly windowed: boolean;
  readonly from: string;
  readonly to: string;
  readonly cap: number | null;
  readonly at_once: number;
}

/** A first ring of a few, a second of a quarter, then all: at night, an hour's watch between. */
export function fresh(bundle: string): Draft {
  return {
    bundle,
    title: "",
    kinds: ["kiosk"],
    rings: [
      { way: "share", percent: 2, districts: [] },
      { way: "share", percent: 25, districts: [] },
    ],
    advance: 90,
    soak: 60,
    failed: 10,
    least: 2,
    experience: true,
    rise: 3,
    windowed: false,
    from: "22:00",
    to: "05:00",
    cap: null,
    at_once: 50,
  };
}

export function draftOf(plan: RolloutPlan): Draft {
  const { gate, transfer } = plan;
  return {
    ...fresh(plan.bundle),
    title: plan.title,
    kinds: plan.kinds,
    rings: plan.rings.slice(0, -1).map((ring) => ({
      way: ring.share === null ? "districts" : "share",
      percent: Math.round((ring.share ?? 0) * 1000) / 10,
      districts: ring.districts,
    })),
    advance: Math.round(gate.advance_share * 100),
    soak: Math.round(gate.soak_s / 60),
    failed: Math.round(gate.failed_share * 100),
    least: gate.failed_least,
    experience: gate.experience !== null,
    rise: gate.experience === null ? 3 : Math.round(gate.experience.tolerated_rise * 100),
    windowed: transfer.from_minute !== null,
    from: minuteWord(transfer.from_minute ?? 1320),
    to: minuteWord(transfer.to_minute ?? 300),
    cap: transfer.cap_bytes_per_s === null ? null : Math.round(transfer.cap_bytes_per_s / 1000),
    at_once: transfer.at_once,
  };
}

/** Null: something is missing or out of bounds. */
export function planOf(draft: Draft): RolloutPlan | null {
  if (draft.bundle === "" || draft.kinds.length === 0) return null;
  const rings: Ring[] = [];
  for (const { way, percent, districts } of draft.rings) {
    if (way === "share" && !(percent > 0 && percent <= 100)) return null;
    if (way === "districts" && districts.length === 0) return null;
    rings.push({ name: "", share: way === "share" ? percent / 100 : null, districts: way === "districts" ? districts : [], devices: [] });
  }
  rings.push({ name: "", share: null, districts: [], devices: [] });
  const gate = gateOf(draft);
  const transfer = transferOf(draft);
  if (gate === null || transfer === null) return null;
  return { bundle: draft.bundle, rings, title: draft.title.trim(), note: "", kinds: draft.kinds, gate, transfer };
}

function gateOf({ advance, soak, failed, least, experience, rise }: Draft): Gate | null {
  const fine =
    within(advance, 1, 100) && within(soak, 0, 43_200) && within(failed, 0, 100) && within(least, 1, 10_000) && within(rise, 0, 100);
  if (!fine) return null;
  return {
    advance_share: advance / 100,
    soak_s: soak * 60,
    failed_share: failed / 100,
    failed_least: Math.round(least),
    experience: experience ? { tolerated_rise: rise / 100, least: 50, z: 3.09 } : null,
  };
}

function transferOf({ windowed, from, to, cap, at_once }: Draft): Transfer | null {
  const [from_minute, to_minute] = windowed ? [minuteOf(from), minuteOf(to)] : [null, null];
  if (windowed && (from_minute === null || to_minute === null)) return null;
  if (!within(at_once, 1, 1000) || (cap !== null && !within(cap, 2, 1_000_000))) return null;
  return { from_minute, to_minute, cap_bytes_per_s: cap === null ? null : Math.round(cap * 1000), at_once: Math.round(at_once) };
}

function within(value: number, least: number, most: number): boolean {
  return Number.isFinite(value) && value >= least && value <= most;
}
