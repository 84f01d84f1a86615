/** The line to the agent: what it last said, and what was touched. */
import type { PageMessage, Shown } from "../shared/kiosk-wire";
import { Store } from "../shared/store";

const AGAIN_MS = 1000;
const TOUCH_EVERY_MS = 1000;

/** What is drawn: nothing of the agent's while it cannot be heard. */
export interface Seen {
  readonly shown: Shown | null;
  /** Milliseconds by which the city's clock is ahead of this browser's; null: no clock is to be believed. */
  readonly ahead_ms: number | null;
}

export const seen = new Store<Seen>({ shown: null, ahead_ms: null });

let socket: WebSocket | null = null;
let touched_at = -TOUCH_EVERY_MS;

function address(): string {
  const here = new URL("line", location.href);
  here.protocol = "ws:";
  return here.href;
}

export function start(): void {
  const opened = new WebSocket(address());
  socket = opened;
  opened.addEventListener("message", (event: MessageEvent<string>) => {
    const shown = JSON.parse(event.data) as Shown;
    if (shown.type !== "shown") return; // a newer agent says more
    seen.set({ shown, ahead_ms: shown.now === null ? null : shown.now * 1000 - Date.now() });
  });
  opened.addEventListener("close", () => {
    socket = null;
    seen.set({ shown: null, ahead_ms: null });
    setTimeout(start, AGAIN_MS);
  });
}

export function tell(message: PageMessage): void {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

/** The resident is still there; told at most once a second. */
export function touch(): void {
  const now = performance.now();
  if (now - touched_at < TOUCH_EVERY_MS) return;
  touched_at = now;
  tell({ type: "touched" });
}
