import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";

const FORWARD = new Set(["ArrowRight", "ArrowDown"]);
const BACK = new Set(["ArrowLeft", "ArrowUp"]);

/** The arrows of a remote control walk along the buttons; OK is Enter, which a button knows by itself. */
export function useRemote(bar: RefObject<HTMLElement | null>, on: boolean): void {
  useEffect(() => {
    if (!on) return undefined;
    const home = () => bar.current?.querySelector<HTMLElement>("[data-home]")?.focus();
    if (document.activeElement === document.body) home();
    const key = (event: KeyboardEvent) => {
      const step = FORWARD.has(event.key) ? 1 : BACK.has(event.key) ? -1 : 0;
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const buttons = [...(bar.current?.querySelectorAll<HTMLElement>("button:not(:disabled)") ?? [])];
      const at = buttons.indexOf(document.activeElement as HTMLElement);
      if (step === 0) {
        if (at < 0 && event.key === "Enter") home();
        return;
      }
      event.preventDefault();
      if (at < 0) return home();
      buttons[(at + step + buttons.length) % buttons.length]?.focus();
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, [bar, on]);
}
