/** What was just done, readable for some seconds, with a way back where there is one. */
import { useEffect } from "preact/hooks";
import { Cross, Undo } from "../../shared/icons";
import { Store, useStore } from "../../shared/store";
import { useT } from "../i18n";

const SHOWN_MS = 8_000;
const AT_MOST = 3;

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly bad: boolean;
  readonly undo: (() => void) | null;
}

const toasts = new Store<readonly Toast[]>([]);
let last = 0;

export function toast(text: string, { bad = false, undo = null }: { readonly bad?: boolean; readonly undo?: (() => void) | null } = {}): void {
  const one = { id: ++last, text, bad, undo };
  toasts.update((all) => [...all.slice(1 - AT_MOST), one]);
}

function drop(id: number): void {
  toasts.update((all) => all.filter((one) => one.id !== id));
}

export function Toasts() {
  return (
    <div class="toasts" aria-live="polite">
      {useStore(toasts).map((one) => (
        <One key={one.id} toast={one} />
      ))}
    </div>
  );
}

function One({ toast: { id, text, bad, undo } }: { readonly toast: Toast }) {
  const t = useT();
  useEffect(() => {
    const timer = setTimeout(() => drop(id), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [id]);
  return (
    <div class={`toast ${bad ? "bad" : ""}`} role={bad ? "alert" : "status"} data-testid="toast">
      <span>{text}</span>
      {undo !== null && (
        <button
          class="btn quiet"
          onClick={() => {
            drop(id);
            undo();
          }}
        >
          <Undo size={16} /> {t("ui.undo")}
        </button>
      )}
      <button class="btn quiet icon-only" aria-label={t("ui.close")} onClick={() => drop(id)}>
        <Cross size={16} />
      </button>
    </div>
  );
}
