/** One person's fleet: REST with their CSRF token, the live feed, and all rows kept fresh. Owns what is open. */
import { codeOf } from "../../shared/problem";
import { ask, type Asked } from "../../shared/rest";
import { Store } from "../../shared/store";
import type {
  Action,
  DevicesAnswer,
  DistrictRef,
  FleetMessage,
  PlacesAnswer,
  SomethingChanged,
  StaffAnswer,
  UnitRef,
} from "../../shared/fleet-wire";
import { Feed } from "./feed";
import { begins, ends, fails, heard, NOTHING, read, type FleetState } from "./state";

const PAGE = 500;
const STALE_AFTER_S = 15; // three pulses
const TICK_MS = 5_000;

/** How fresh all this is. `stale_since`: when the last word was heard, once that is too long ago (s, UTC). */
export interface Freshness {
  readonly line: "connecting" | "open" | "lost";
  readonly stale_since: number | null;
}

/** The roster, looked up by code. */
export interface Places {
  readonly districts: readonly DistrictRef[];
  readonly units: readonly UnitRef[];
  readonly district: ReadonlyMap<string, DistrictRef>;
  readonly unit: ReadonlyMap<string, UnitRef>;
}

/** What a page that shows things by REST wants to know: they changed, or (null) we were away and must look again. */
export type Changed = SomethingChanged | null;

export function whoIs(): Promise<StaffAnswer> {
  return ask<StaffAnswer>("/api/fleet/me");
}

export class Fleet {
  readonly state = new Store<FleetState>(NOTHING);
  readonly places = new Store<Places | null>(null);
  readonly freshness = new Store<Freshness>({ line: "connecting", stale_since: null });
  /** The server's clock, seconds UTC; goes on every five seconds. */
  readonly now = new Store<number>(Date.now() / 1000);

  private readonly changes = new Set<(changed: Changed) => void>();
  private readonly feed: Feed;
  private readonly may: ReadonlySet<string>;
  private ahead_s = 0; // of our clock: the server's minus ours
  private heard_at = Date.now() / 1000; // on our clock
  private loading = 0;
  private tick: ReturnType<typeof setInterval> | undefined;

  constructor(
    readonly staff: StaffAnswer,
    /** The session is over; the code says why. */
    private readonly onOut: (code: string) => void,
  ) {
    this.may = new Set(staff.may);
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.feed = new Feed({
      url: `${scheme}://${location.host}/fleet/ws`,
      onMessage: (message) => this.hear(message),
      onLost: (opened) => this.lost(opened),
      onGone: (code) => this.onOut(code),
    });
  }

  start(): void {
    this.tick = setInterval(() => this.ticks(), TICK_MS);
    void this.loadPlaces();
    this.feed.start();
  }

  stop(): void {
    this.feed.stop();
    clearInterval(this.tick);
    this.loading += 1;
  }

  /** May this person do that at all? Where, is asked of each device's own `may`. */
  allows(action: Action): boolean {
    return this.may.has(action);
  }

  /** Is that district one of theirs? No districts: everywhere, but for a technician. */
  covers(district: string): boolean {
    const { role, districts } = this.staff;
    return (role !== "technician" && districts.length === 0) || districts.includes(district);
  }

  /** Ask the fleet's REST: `ask<IncidentsAnswer>("/incidents")`. Throws `Refused`. */
  ask<T>(path: string, asked: Asked = {}): Promise<T> {
    const token = { "X-CSRF-Token": this.staff.csrf };
    return ask<T>(`/api/fleet${path}`, { ...asked, headers: { ...token, ...asked.headers } });
  }

  /** Be told of changes that are shown by REST; gives back how to stop. */
  listen(changed: (changed: Changed) => void): () => void {
    this.changes.add(changed);
    return () => this.changes.delete(changed);
  }

  async load(): Promise<void> {
    const turn = ++this.loading;
    this.state.update(begins);
    try {
      for (let round = 0; ; round += 1) {
        let got = 0;
        let total = Infinity;
        while (got < total) {
          const page = await this.ask<DevicesAnswer>(`/devices?offset=${got}&limit=${PAGE}`);
          if (turn !== this.loading) return;
          this.state.update((state) => read(state, page.devices));
          got += page.devices.length;
          total = page.devices.length === 0 ? got : page.total;
        }
        // One that left meanwhile moves the others forward, and one of them past us: look once more.
        const { fresh, gone } = this.state.get();
        if (round > 0 || gone.size === 0 || (fresh?.size ?? 0) >= total) break;
      }
      this.state.update(ends);
    } catch (error) {
      if (turn !== this.loading) return;
      this.state.update(fails);
      this.outIf(codeOf(error));
    }
  }

  private async loadPlaces(): Promise<void> {
    try {
      const { districts, units } = await this.ask<PlacesAnswer>("/places");
      this.places.set({
        districts,
        units,
        district: new Map(districts.map((one) => [one.code, one])),
        unit: new Map(units.map((one) => [one.code, one])),
      });
    } catch (error) {
      this.outIf(codeOf(error));
    }
  }

  private hear(message: FleetMessage): void {
    this.ahead_s = message.time - Date.now() / 1000;
    this.heard_at = Date.now() / 1000;
    this.freshness.set({ line: "open", stale_since: null });
    switch (message.type) {
      case "fleet-hello":
        this.now.set(message.time);
        void this.load();
        if (this.places.get() === null) void this.loadPlaces();
        this.tell(null);
        break;
      case "rows-changed":
        this.state.update((state) => heard(state, message.rows, message.gone));
        break;
      case "something-changed":
        this.tell(message);
        break;
      case "fleet-pulse":
      case "fleet-gone":
        break;
      default:
        message satisfies never; // a newer server may say more than this page knows
    }
  }

  private tell(changed: Changed): void {
    for (const listener of [...this.changes]) listener(changed);
  }

  /** Not let in, or cut off? The difference is a log-in that has ended. */
  private async lost(opened: boolean): Promise<boolean> {
    this.freshness.update((before) => ({ ...before, line: "lost" }));
    if (opened) return true;
    try {
      await whoIs();
    } catch (error) {
      return !this.outIf(codeOf(error));
    }
    return true;
  }

  private outIf(code: string): boolean {
    const out = code === "not-logged-in" || code === "not-allowed";
    if (out) this.onOut(code);
    return out;
  }

  private ticks(): void {
    const here = Date.now() / 1000;
    this.now.set(here + this.ahead_s);
    if (here - this.heard_at > STALE_AFTER_S && this.freshness.get().stale_since === null) {
      this.freshness.update((before) => ({ ...before, stale_since: this.heard_at + this.ahead_s }));
    }
  }
}
