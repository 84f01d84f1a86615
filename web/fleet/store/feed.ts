/** The live feed: one WebSocket at a time, opened again by itself. Knows nothing of what the messages mean. */
import { backoff_s } from "../../shared/backoff";
import type { FleetMessage } from "../../shared/fleet-wire";

const SILENCE_MS = 20_000; // four pulses: the line is dead
const FINAL = new Set(["logged-out", "not-allowed"]);

export interface FeedOptions {
  readonly url: string;
  readonly onMessage: (message: FleetMessage) => void;
  /** The line is cut, or could not be opened. Gives back false if trying again is of no use. */
  readonly onLost: (opened: boolean) => Promise<boolean>;
  /** The server has ended it for good. */
  readonly onGone: (code: string) => void;
}

export class Feed {
  private socket: WebSocket | null = null;
  private stopped = false;
  private tries = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private silence: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: FeedOptions) {}

  start(): void {
    window.addEventListener("online", this.tryNow);
    this.connect();
  }

  stop(): void {
    this.stopped = true;
    window.removeEventListener("online", this.tryNow);
    clearTimeout(this.retry);
    this.drop();
  }

  private readonly tryNow = (): void => {
    if (this.stopped || this.retry === undefined) return;
    clearTimeout(this.retry);
    this.connect();
  };

  private connect(): void {
    this.retry = undefined;
    const socket = new WebSocket(this.options.url);
    let heard = false;
    this.socket = socket;
    this.listen(false);
    socket.onmessage = (event) => {
      if (this.socket !== socket) return;
      const message = decode(event.data);
      if (message === null) return;
      heard = true;
      this.tries = 0;
      this.listen(true);
      this.options.onMessage(message);
      if (message.type !== "fleet-gone") return;
      this.drop();
      if (FINAL.has(message.code)) this.options.onGone(message.code);
      else void this.lost(true, message.retry_after_ms);
    };
    socket.onclose = () => {
      if (this.socket === socket) void this.lost(heard, null);
    };
  }

  private async lost(opened: boolean, after_ms: number | null): Promise<void> {
    this.drop();
    const again = await this.options.onLost(opened);
    if (this.stopped || !again) return;
    this.retry = setTimeout(() => this.connect(), after_ms ?? backoff_s(this.tries++) * 1000);
  }

  private listen(opened: boolean): void {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => void this.lost(opened, null), SILENCE_MS);
  }

  private drop(): void {
    clearTimeout(this.silence);
    const socket = this.socket;
    this.socket = null;
    if (socket === null) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
  }
}

function decode(data: unknown): FleetMessage | null {
  try {
    return JSON.parse(String(data)) as FleetMessage;
  } catch {
    return null;
  }
}
