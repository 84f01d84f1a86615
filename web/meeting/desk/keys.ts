/** The desk's keys. By position on the board, so that a Vietnamese input method does not swallow them. */
import { useEffect } from "preact/hooks";
import type { Room } from "../room";
import type { Acts } from "./acts";
import { MODES } from "./centre";

export interface Asked {
  readonly help: () => void;
  readonly end: () => void;
  readonly wall: () => void;
  readonly recordings: () => void;
  readonly escape: () => void;
}

export function useKeys(room: Room, acts: Acts, asked: Asked): void {
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
      if (document.querySelector("dialog[open]") !== null || typing(event.target)) return;
      const act = chosen(room, acts, asked, `${event.shiftKey ? "Shift+" : ""}${event.code}`);
      if (act === null) return;
      event.preventDefault();
      act();
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, [room, acts, asked]);
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, textarea, select");
}

function chosen(room: Room, acts: Acts, asked: Asked, key: string): (() => void) | null {
  switch (key) {
    case "KeyN":
      return () => acts.nextSpeaker();
    case "KeyT":
      return () => acts.takeFloor();
    case "KeyM":
      return () => acts.muteAll();
    case "Shift+KeyM":
      return () => acts.unmuteAll();
    case "Digit1":
    case "Digit2":
    case "Digit3":
    case "Digit4": {
      const mode = MODES[Number(key.slice(-1)) - 1];
      return mode === undefined ? null : () => acts.setMode(mode);
    }
    case "KeyK":
      return () => acts.setLocked(room.state.get().meeting?.locked !== true);
    case "KeyH":
      return () => acts.setMain(null);
    case "KeyS":
      return () => {
        if (room.state.get().stage?.content != null) acts.stopContent();
        else if (room.state.get().you?.site != null && room.may("share-content")) void room.share();
      };
    case "KeyI":
      return () => void room.setMicrophone(!room.own.get().microphoneOn);
    case "KeyC":
      return () => void room.setCamera(!room.own.get().cameraOn);
    case "KeyZ":
      return () => void room.undo();
    case "Shift+KeyE":
      return asked.end;
    case "KeyG":
      return asked.recordings;
    case "KeyW":
      return asked.wall;
    case "Slash":
      return () => focus("#search");
    case "Shift+Slash":
      return asked.help;
    case "KeyL":
      return () => focus("#roster");
    case "KeyQ":
      return () => focus("#queue");
    case "KeyB":
      return () => focus("#city .tile[tabindex='0']");
    case "Escape":
      return asked.escape;
    default:
      return null;
  }
}

function focus(selector: string): void {
  document.querySelector<HTMLElement>(selector)?.focus();
}
