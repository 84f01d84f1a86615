/** Asking to be let in, and then the line: challenge, hello, beats, orders, reports. */
import { backoff_s } from "../shared/backoff";
import type {
  AskEnrolment,
  CityMessage,
  DeviceMessage,
  DeviceTime,
  Enrolled,
  EnrolmentNews,
  Order,
  Report,
} from "../shared/device-wire";
import { Refused } from "../shared/problem";
import { ask } from "../shared/rest";
import { Store } from "../shared/store";
import { own, publicKey, random, sign, words } from "./identity";
import { forgetReport, keepReport, reports, setIdentity, takeUp, type Identity } from "./keep";
import { carryOut } from "./orders";
import { Senses, wait } from "./senses";

export const AGENT = `page 0.1.0 · ${browser()}`;
const SENT_AWAY_MS = 600_000;

export type State =
  | { readonly kind: "starting" }
  | { readonly kind: "waiting"; readonly code: string; readonly words: readonly string[]; readonly until: number }
  | { readonly kind: "refused"; readonly why: string }
  | { readonly kind: "connecting" }
  | { readonly kind: "connected"; readonly name: string; readonly heard_at: number }
  | { readonly kind: "sent-away"; readonly code: string }
  | { readonly kind: "failed"; readonly code: string };

export const state = new Store<State>({ kind: "starting" });

const boot = crypto.randomUUID();
const senses = new Senses();

/** Runs for as long as the page is open. */
export async function run(): Promise<void> {
  senses.start();
  for (let failures = 0; ; ) {
    try {
      const it = await own();
      const enrolled = it.device === null ? await enrol(it) : it;
      if (enrolled === null) continue;
      state.set({ kind: "connecting" });
      const again_ms = await new Line(enrolled).run();
      failures = 0;
      await wait(again_ms ?? 1000 * backoff_s(1));
    } catch (error) {
      const code = error instanceof Refused ? error.code : "no-key";
      if (code !== "offline" && code !== "busy") state.set({ kind: "failed", code });
      await wait(1000 * (code === "quarantined" || code === "retired" || code === "no-key" ? 60 : 2 + backoff_s(failures++)));
    }
  }
}

/** The identity with its name, once staff have bound it; null: ask anew. */
async function enrol(it: Identity): Promise<Identity | null> {
  const key = await publicKey(it);
  const salt = random(16);
  const hardware = navigator.userAgent.slice(0, 200);
  const asked: AskEnrolment = {
    public_key: key,
    kind: "bridge-point",
    hardware,
    agent: AGENT,
    at: Date.now() / 1000,
    salt,
    signature: await sign(it, "enrolment", key, "bridge-point", hardware, salt),
  };
  const enrolled = await ask<Enrolled>("/api/kiosk/enrolments", { method: "POST", body: asked });
  const shown = await words(it);
  for (let counter = Date.now(); ; counter += 1) {
    if (enrolled.code !== "") state.set({ kind: "waiting", code: enrolled.code, words: shown, until: enrolled.expires_at });
    const signature = await sign(it, "look", enrolled.enrolment, String(counter));
    let news: EnrolmentNews;
    try {
      news = await ask<EnrolmentNews>(`/api/kiosk/enrolments/${enrolled.enrolment}/look`, { method: "POST", body: { counter, signature } });
    } catch (error) {
      if (error instanceof Refused && error.code === "offline") {
        await wait(1000 * enrolled.look_every_s);
        continue;
      }
      if (error instanceof Refused && error.code === "unknown-enrolment") return null;
      throw error;
    }
    if (news.device !== null) {
      const named: Identity = { ...it, device: news.device, counter: Math.max(it.counter, news.counter) };
      await setIdentity(named);
      return named;
    }
    if (news.state === "refused") {
      state.set({ kind: "refused", why: news.text });
      await wait(60_000);
      return null;
    }
    if (news.state === "expired" || news.state === "locked") return null;
    await wait(1000 * enrolled.look_every_s);
  }
}

/** One connection. */
class Line {
  private readonly socket: WebSocket;
  private beats = 0;
  private said_at = new Map<number, number>();
  private timer: ReturnType<typeof setInterval> | undefined;
  private again_ms: number | null = null;
  private ahead_s = 0;
  private name = "";
  private readonly orders = new Map<string, Order>();
  private reload = new Set<string>(); // reports after which the page is loaded anew

  constructor(private it: Identity) {
    this.socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/kiosk/ws`);
  }

  /** How long to wait before the next; null: as is usual. */
  run(): Promise<number | null> {
    return new Promise((resolve) => {
      this.socket.addEventListener("message", (event: MessageEvent<string>) => void this.hear(JSON.parse(event.data) as CityMessage));
      this.socket.addEventListener("close", () => {
        clearInterval(this.timer);
        if (state.get().kind === "connected") state.set({ kind: "connecting" });
        resolve(this.again_ms);
      });
    });
  }

  private async hear(message: CityMessage): Promise<void> {
    this.ahead_s = message.time - Date.now() / 1000;
    switch (message.type) {
      case "challenge":
        return this.hello(message.nonce);
      case "welcome":
        this.name = message.settings.name;
        this.heard();
        this.beat();
        this.timer = setInterval(() => this.beat(), 1000 * message.settings.beat_every_s);
        for (const report of await reports()) this.say(report);
        return;
      case "heard": {
        const said_at = this.said_at.get(message.n);
        if (said_at !== undefined) senses.note(performance.now() - said_at);
        this.said_at.delete(message.n);
        return this.heard();
      }
      case "settings":
        this.name = message.settings.name;
        return this.heard();
      case "stored":
        for (const key of message.keys) await this.forget(key);
        return;
      case "rejected":
        if (message.key !== null) await this.forget(message.key);
        return;
      case "carry":
        this.orders.set(message.order.id, message.order);
        this.say({ type: "acknowledge", v: 1, command: message.order.id });
        this.say({ type: "claim", v: 1, command: message.order.id });
        return;
      case "go":
        return this.go(message.command);
      case "no-go":
      case "take-back":
        this.orders.delete(message.command);
        return;
      case "sent-away":
        this.again_ms = message.retry_after_ms ?? SENT_AWAY_MS;
        if (message.retry_after_ms === null) state.set({ kind: "sent-away", code: message.code });
        return;
      case "token":
      case "offered":
        return; // a page uploads nothing and installs nothing
      default:
        message satisfies never; // a newer city says more
    }
  }

  private async hello(nonce: string): Promise<void> {
    this.it = { ...this.it, counter: this.it.counter + 1 };
    await setIdentity(this.it); // before it is said: a counter is used once
    const device = this.it.device ?? "";
    const at = this.time();
    const signature = await sign(this.it, "hello", location.host, device, nonce, at.boot, String(at.counter));
    this.say({ type: "hello", v: 1, device, nonce, at, agent: AGENT, signature });
  }

  private beat(): void {
    for (const [n, at] of this.said_at) {
      if (performance.now() - at < 60_000) continue;
      this.said_at.delete(n);
      senses.note(null);
    }
    const n = ++this.beats;
    this.said_at.set(n, performance.now());
    void reports().then((waiting) => this.say({ type: "beat", v: 1, n, at: this.time(), facts: senses.facts(waiting.length, AGENT) }));
  }

  private async go(command: string): Promise<void> {
    const order = this.orders.get(command);
    this.orders.delete(command);
    if (order === undefined || !(await takeUp(command))) return;
    await this.report({ what: "began", command });
    const outcome = await carryOut(order, senses);
    const key = await this.report({ what: "done", command, outcome });
    if (order.do.act === "restart-page") this.reload.add(key);
  }

  private async report(news: Report["news"]): Promise<string> {
    const report: Report = { type: "report", v: 1, key: random(12), at: this.time(), news };
    await keepReport(report);
    this.say(report);
    return report.key;
  }

  private async forget(key: string): Promise<void> {
    await forgetReport(key);
    if (this.reload.delete(key)) location.reload();
  }

  private heard(): void {
    state.set({ kind: "connected", name: this.name, heard_at: Date.now() / 1000 + this.ahead_s });
  }

  private time(): DeviceTime {
    const uptime_s = performance.now() / 1000;
    return { boot, counter: this.it.counter, uptime_s, wall: Date.now() / 1000 + this.ahead_s };
  }

  private say(message: DeviceMessage): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }
}

function browser(): string {
  const found = /(Firefox|Edg|Chrome)\/(\d+)/.exec(navigator.userAgent);
  return found === null ? "?" : `${found[1]} ${found[2]}`;
}
