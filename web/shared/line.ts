/**
 * The line to the server: one WebSocket at a time, opened again by itself until told to stop.
 *
 * Owns rids, the answers that are awaited, the resume token and the place in the return ramp.
 * Knows nothing of what the messages mean beyond that.
 */
import { backoff_s } from "./backoff";
import { codeOf, Refused } from "./problem";
import { VERSION, type ClientMessage, type Done, type ServerMessage, type Welcome } from "./wire";

const PING_EVERY_MS = 5_000;
const SILENCE_MS = 5_000; // nothing heard for so long after a ping: the line is dead
const WELCOME_WITHIN_MS = 8_000;
const ANSWER_WITHIN_MS = 20_000;

type Without<M, K extends PropertyKey> = M extends unknown ? Omit<M, K> : never;

/** A message before the line gives it its number. */
export type Unsent = Without<ClientMessage, "rid" | "v">;

/** Where the line is. Only `gone` needs a person. */
export type LineStatus =
  | { readonly kind: "connecting" }
  | { readonly kind: "open" }
  | { readonly kind: "lost" }
  | { readonly kind: "gone"; readonly code: string };

/** What outlives a reload of the page. */
export interface Memory {
  readonly resume: string | null;
  readonly rid: number;
}

export interface LineOptions {
  readonly url: string;
  /** A fresh single-use ticket; throws `Refused` with a code that is final unless it is `offline`. */
  readonly ticket: () => Promise<string>;
  readonly memory: Memory;
  readonly remember: (memory: Memory) => void;
  readonly onMessage: (message: ServerMessage) => void;
  readonly onStatus: (status: LineStatus) => void;
}

interface Awaited {
  readonly message: ClientMessage;
  readonly again: boolean; // say it again on the next connection
  readonly deadline: ReturnType<typeof setTimeout> | null;
  readonly resolve: (answer: ServerMessage) => void;
  readonly reject: (error: Refused) => void;
}

/** Refusals that waiting cures. Any other one of a ticket or a hello is final. */
const PASSING = new Set([
  "offline",
  "busy",
  "limit",
  "too-many",
  "not-stored",
  "not-owner",
  "in-doubt",
  "hello-timeout",
  "internal",
]);
const RATE_LIMITED_WAIT_MS = 1_000;

export class Line {
  private socket: WebSocket | null = null;
  private welcomed = false;
  private stopped = false;
  private tries = 0;
  private resume: string | null;
  private rid: number;
  private epoch: number | null = null;
  private highest = 0; // the highest seq heard
  private have: number | null = null; // everything up to here has been heard
  private helloRid = 0;
  private awaited = new Map<number, Awaited>();
  private retry: ReturnType<typeof setTimeout> | undefined;
  private heartbeat: ReturnType<typeof setInterval> | undefined;
  private silence: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: LineOptions) {
    this.resume = options.memory.resume;
    this.rid = options.memory.rid;
  }

  start(): void {
    this.stopped = false;
    window.addEventListener("online", this.tryNow);
    this.options.onStatus({ kind: "connecting" });
    void this.connect();
  }

  /** Leave on purpose and stay away. */
  leave(): void {
    this.post({ type: "leave" });
    this.stop({ kind: "gone", code: "left" });
  }

  /** Close without a word (the page goes away, and may come back). */
  close(): void {
    this.stop(null);
  }

  /** The bearer of this window's REST calls. */
  token(): string | null {
    return this.resume;
  }

  /** Give a command; it is said again after a reconnect until it is answered. */
  command(message: Unsent): Promise<Done> {
    return this.ask(message, true) as Promise<Done>;
  }

  /** Ask something that is worth an answer only on this connection. */
  ask(message: Unsent, again = false): Promise<ServerMessage> {
    if (this.stopped) return Promise.reject(new Refused("offline", "the line is closed"));
    if (!again && !this.welcomed) return Promise.reject(new Refused("offline", "there is no line"));
    const numbered = this.number(message);
    return new Promise((resolve, reject) => {
      const deadline = again
        ? null
        : setTimeout(() => this.settle(numbered.rid, new Refused("offline", "no answer")), ANSWER_WITHIN_MS);
      this.awaited.set(numbered.rid, { message: numbered, again, deadline, resolve, reject });
      if (this.welcomed) this.send(numbered);
    });
  }

  /** Say something that needs no answer, if there is a line. */
  post(message: Unsent): void {
    if (this.welcomed) this.send(this.number(message));
  }

  private number(message: Unsent): ClientMessage {
    this.rid += 1;
    this.remember();
    return { ...message, rid: this.rid, v: VERSION } as ClientMessage;
  }

  private remember(): void {
    this.options.remember({ resume: this.resume, rid: this.rid });
  }

  private send(message: ClientMessage): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  private readonly tryNow = (): void => {
    if (this.stopped || this.socket !== null || this.retry === undefined) return;
    clearTimeout(this.retry);
    this.retry = undefined;
    void this.connect();
  };

  private async connect(): Promise<void> {
    let ticket: string | null = null;
    if (this.resume === null) {
      try {
        ticket = await this.options.ticket();
      } catch (error) {
        const code = codeOf(error);
        if (this.stopped) return;
        if (PASSING.has(code)) return this.again(backoff_s(this.tries++));
        return this.stop({ kind: "gone", code });
      }
      if (this.stopped) return;
    }
    const socket = new WebSocket(this.options.url);
    this.socket = socket;
    this.welcomed = false;
    this.listenFor(WELCOME_WITHIN_MS);
    socket.onopen = () => {
      const known = this.have !== null && this.epoch !== null && ticket === null;
      const hello = this.number({
        type: "hello",
        ...(ticket === null ? { resume: this.resume } : { ticket }),
        ...(known ? { have: this.have, epoch: this.epoch } : {}),
      });
      this.helloRid = hello.rid;
      this.send(hello);
    };
    socket.onmessage = (event) => {
      if (this.socket === socket) this.hear(event.data);
    };
    socket.onclose = () => {
      if (this.socket === socket) this.lost();
    };
  }

  private hear(data: unknown): void {
    let message: ServerMessage;
    try {
      message = JSON.parse(String(data)) as ServerMessage;
    } catch {
      return;
    }
    if (this.welcomed) this.stillThere();
    switch (message.type) {
      case "welcome":
        if (!this.welcome(message)) return;
        break;
      case "pong":
        // The server's outbox keeps its order, so all that came before this pong is complete.
        this.have = this.highest;
        break;
      case "done":
      case "answer":
        this.settle(message.rid, message);
        break;
      case "problem":
        if (message.rid === this.helloRid && !this.welcomed) return this.notWelcome(message.code);
        if (message.rid !== null) this.settle(message.rid, new Refused(message.code, message.text));
        else if (message.code === "rate-limited") setTimeout(() => this.sayAgain(), RATE_LIMITED_WAIT_MS);
        break;
      case "leave":
        this.options.onMessage(message);
        return this.sentAway(message.action, message.retry_after_ms, message.code);
      default:
        if ("seq" in message) this.highest = Math.max(this.highest, message.seq);
    }
    this.options.onMessage(message);
  }

  /** False if this server is an older owner of the room than one heard before. */
  private welcome(message: Welcome): boolean {
    if (this.epoch !== null && message.epoch < this.epoch) {
      this.drop();
      this.lost();
      return false;
    }
    this.welcomed = true;
    this.tries = 0;
    this.epoch = message.epoch;
    this.resume = message.resume;
    if (!message.resumed) {
      this.highest = message.seq;
      this.have = null;
    }
    this.remember();
    this.stillThere();
    this.heartbeat = setInterval(() => {
      this.post({ type: "ping" });
      if (this.silence === undefined) this.listenFor(SILENCE_MS);
    }, PING_EVERY_MS);
    this.options.onStatus({ kind: "open" });
    this.sayAgain();
    return true;
  }

  /** Commands that are not answered yet, under the numbers they had: the server does each only once. */
  private sayAgain(): void {
    for (const { message, again } of [...this.awaited.values()]) {
      if (again && this.welcomed) this.send(message);
    }
  }

  private notWelcome(code: string): void {
    this.drop();
    if (PASSING.has(code)) return this.lost();
    if (this.resume !== null) {
      // The token has had its day: come in by the front door.
      this.forget();
      return this.again(backoff_s(this.tries++));
    }
    if (code === "bad-ticket" && this.tries++ < 3) return this.again(backoff_s(this.tries));
    this.stop({ kind: "gone", code });
  }

  private sentAway(action: "disconnect" | "resume" | "reconnect", after_ms: number, code: string): void {
    this.drop();
    if (action === "disconnect") return this.stop({ kind: "gone", code });
    if (action === "reconnect") this.forget();
    this.fail();
    this.options.onStatus({ kind: "lost" });
    this.again(after_ms / 1000);
  }

  private forget(): void {
    this.resume = null;
    this.have = null;
    this.remember();
  }

  private lost(): void {
    this.drop();
    this.fail();
    if (this.stopped) return;
    this.options.onStatus({ kind: "lost" });
    this.again(backoff_s(this.tries++));
  }

  private again(after_s: number): void {
    clearTimeout(this.retry);
    this.retry = setTimeout(() => {
      this.retry = undefined;
      void this.connect();
    }, after_s * 1000);
  }

  private listenFor(ms: number): void {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.lost(), ms);
  }

  private stillThere(): void {
    clearTimeout(this.silence);
    this.silence = undefined;
  }

  private settle(rid: number, answer: ServerMessage | Refused): void {
    const awaited = this.awaited.get(rid);
    if (awaited === undefined) return;
    this.awaited.delete(rid);
    if (awaited.deadline !== null) clearTimeout(awaited.deadline);
    if (answer instanceof Refused) awaited.reject(answer);
    else awaited.resolve(answer);
  }

  /** What was worth asking on this connection only is not answered any more. */
  private fail(all = false): void {
    for (const [rid, { again }] of [...this.awaited]) {
      if (all || !again) this.settle(rid, new Refused("offline", "the line is lost"));
    }
  }

  private drop(): void {
    clearInterval(this.heartbeat);
    this.stillThere();
    const socket = this.socket;
    this.socket = null;
    this.welcomed = false;
    if (socket !== null) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
  }

  private stop(status: LineStatus | null): void {
    if (this.stopped) return;
    this.stopped = true;
    window.removeEventListener("online", this.tryNow);
    clearTimeout(this.retry);
    this.drop();
    this.fail(true);
    if (status !== null) {
      if (status.kind === "gone") this.forget();
      this.options.onStatus(status);
    }
  }
}
