/** The little of a browser that the pure parts touch when they are loaded. Import it first. */
const kept = new Map<string, string>();
const storage = {
  getItem: (key: string) => kept.get(key) ?? null,
  setItem: (key: string, value: string) => void kept.set(key, value),
  removeItem: (key: string) => void kept.delete(key),
};
Object.assign(globalThis, { localStorage: storage, sessionStorage: storage, window: globalThis });
Object.assign(globalThis, { addEventListener: () => undefined, removeEventListener: () => undefined });

/** Plays the browser's WebSocket: the test is the server. */
export class Socket {
  static readonly OPEN = 1;
  static readonly all: Socket[] = [];
  readyState = 0;
  readonly said: Record<string, unknown>[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;

  constructor(readonly url: string) {
    Socket.all.push(this);
  }

  static newest(): Socket {
    const socket = Socket.all.at(-1);
    if (socket === undefined) throw new Error("nothing was opened");
    return socket;
  }

  open(): void {
    this.readyState = Socket.OPEN;
    this.onopen?.();
  }

  tell(message: Record<string, unknown>): void {
    this.onmessage?.({ data: JSON.stringify({ v: 1, ...message }) });
  }

  /** The line is cut. */
  cut(): void {
    this.readyState = 3;
    this.onclose?.();
  }

  send(text: string): void {
    this.said.push(JSON.parse(text) as Record<string, unknown>);
  }

  close(): void {
    this.readyState = 3;
  }
}
Object.assign(globalThis, { WebSocket: Socket });
