/** When the lower bar makes room for the picture, and what brings it back. */
import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { LineStatus } from "../../shared/line";
import type { MediaState } from "../../shared/peering";
import { useStore } from "../../shared/store";
import type { Room } from "../room";

const QUIET_AFTER_MS = 12_000;
/** A click this soon after the pointer has brought the bar back was meant for what was there before. */
const SETTLE_MS = 400;

export interface Asked {
  readonly line: LineStatus["kind"];
  readonly media: MediaState["status"];
  readonly speaking: boolean; // the own site has the floor
  readonly blocked: boolean; // the sound waits for a press
  readonly refused: boolean; // something was refused a moment ago
  readonly open: boolean; // a dialogue asks
}

/** Nothing is asked of the bridge point, and nothing is wrong that it should see. */
export function mayRest({ line, media, speaking, blocked, refused, open }: Asked): boolean {
  return line === "open" && media === "up" && !speaking && !blocked && !refused && !open;
}

/** True while the bar is down. The press that brings it back does nothing else. */
export function useQuiet(room: Room, bar: RefObject<HTMLElement | null>, open: boolean): boolean {
  const [quiet, setQuiet] = useState(false);
  const line = useStore(room.line, (status) => status.kind);
  const media = useStore(room.media, (state) => state.status);
  const own = useStore(room.state, (state) => state.you?.site?.code ?? null);
  const speaking = useStore(room.state, (state) => own !== null && state.floor?.site?.code === own);
  const blocked = useStore(room.soundBlocked);
  const refused = useStore(room.notice, (notice) => notice !== null);
  const may = mayRest({ line, media, speaking, blocked, refused, open });

  // What the sentence and the buttons are made of: when any of it changes, the room is shown the whole bar.
  const place = useStore(room.queue.place);
  const raised = useStore(room.queue.raised);
  const mode = useStore(room.state, (state) => state.meeting?.mode ?? "");
  const heard = useStore(room.state, (state) => `${state.microphones?.you_may_speak} ${state.microphones?.you_are_muted}`);
  const seen = useStore(room.state, (state) => own !== null && state.stage?.main.code === own);
  const devices = useStore(room.own, (mine) => `${mine.microphoneOn} ${mine.cameraOn} ${mine.camera !== null}`);

  useEffect(() => {
    setQuiet(false);
    if (!may) return undefined;
    let resting = false;
    let woken_ms = -Infinity;
    let swallowed: string | null = null; // the key that woke the bar, as long as it is held
    let at = ""; // the browser tells of moves that were none
    const rest = () => {
      resting = true;
      setQuiet(true);
    };
    let timer = setTimeout(rest, QUIET_AFTER_MS);
    const wake = () => {
      resting = false;
      setQuiet(false);
      clearTimeout(timer);
      timer = setTimeout(rest, QUIET_AFTER_MS);
    };
    const swallow = (event: Event) => {
      event.preventDefault();
      event.stopPropagation();
    };
    const keydown = (event: KeyboardEvent) => {
      const wakes = resting;
      wake();
      if (wakes && !forBrowser(event)) {
        swallowed = event.key;
        if (document.activeElement === document.body) home(bar.current);
      } else if (event.key !== swallowed || !event.repeat) {
        swallowed = null;
        return;
      }
      swallow(event);
    };
    const keyup = (event: KeyboardEvent) => {
      if (event.key === swallowed) swallow(event);
    };
    const move = (event: PointerEvent) => {
      const now = `${event.screenX} ${event.screenY}`;
      if (now !== at && at !== "") {
        if (resting) woken_ms = performance.now();
        wake();
      }
      at = now;
    };
    let early = false;
    const down = () => {
      early = resting || performance.now() - woken_ms < SETTLE_MS;
      wake();
    };
    const click = (event: MouseEvent) => {
      if (early && event.detail > 0) swallow(event); // a key's click has no detail
    };
    const capture = { capture: true };
    addEventListener("keydown", keydown, capture);
    addEventListener("keyup", keyup, capture);
    addEventListener("pointermove", move, capture);
    addEventListener("pointerdown", down, capture);
    addEventListener("wheel", wake, { capture: true, passive: true });
    addEventListener("click", click, capture);
    return () => {
      clearTimeout(timer);
      removeEventListener("keydown", keydown, capture);
      removeEventListener("keyup", keyup, capture);
      removeEventListener("pointermove", move, capture);
      removeEventListener("pointerdown", down, capture);
      removeEventListener("wheel", wake, capture);
      removeEventListener("click", click, capture);
    };
  }, [room, bar, may, place, raised, mode, heard, seen, devices]);

  return quiet && may;
}

function forBrowser({ key, ctrlKey, altKey, metaKey }: KeyboardEvent): boolean {
  return ctrlKey || altKey || metaKey || /^F\d+$/.test(key);
}

function home(bar: HTMLElement | null): void {
  bar?.querySelector<HTMLElement>("[data-home]")?.focus({ preventScroll: true });
}
