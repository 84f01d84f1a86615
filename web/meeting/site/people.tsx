/** How many delegates sit in the room: five large buttons that a remote control can walk along. */
import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Dialog } from "../../shared/dialog";
import { useT } from "../../shared/i18n";
import { MAX_PEOPLE } from "../../shared/wire";
import type { Room } from "../room";

const STEPS = [-10, -1, 1, 10] as const;

function key(room: Room): string {
  return `diemcau.people.${room.entry.meeting}.${room.state.get().you?.site?.code ?? ""}`;
}

/** What this window last recorded. */
export function recalledPeople(room: Room): number | null {
  const kept = sessionStorage.getItem(key(room));
  return kept === null ? null : Number(kept);
}

export function PeopleCount({ room, onClose }: { readonly room: Room; readonly onClose: () => void }) {
  const t = useT();
  const [people, setPeople] = useState(recalledPeople(room) ?? 1);
  const buttons = useArrowsWithin();
  const save = async () => {
    if (await room.do({ type: "count-people", people })) sessionStorage.setItem(key(room), String(people));
    onClose();
  };
  const step = (by: number) => setPeople((n) => Math.min(MAX_PEOPLE, Math.max(0, n + by)));
  const steppers = (signs: readonly number[]) =>
    signs.map((by) => (
      <button key={by} class="btn" onClick={() => step(by)}>
        {by > 0 ? `+${by}` : `−${-by}`}
      </button>
    ));
  return (
    <Dialog title={t("site.people.title")} onClose={onClose} class="from-afar">
      <div ref={buttons}>
        <div class="stepper">
          {steppers(STEPS.slice(0, 2))}
          <output data-testid="people-count">{people}</output>
          {steppers(STEPS.slice(2))}
        </div>
        <div class="buttons">
          <button class="btn" onClick={onClose}>
            {t("site.people.cancel")}
          </button>
          <button class="btn primary" data-first data-testid="people-save" onClick={() => void save()}>
            {t("site.people.save", { n: people })}
          </button>
        </div>
      </div>
    </Dialog>
  );
}

/** The arrows walk along the buttons of a dialogue too. */
export function useArrowsWithin(): RefObject<HTMLDivElement | null> {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const walk = (event: KeyboardEvent) => {
      const forward = event.key === "ArrowRight" || event.key === "ArrowDown";
      const back = event.key === "ArrowLeft" || event.key === "ArrowUp";
      if (!forward && !back) return;
      event.preventDefault();
      const all = [...element.querySelectorAll<HTMLElement>("button")];
      const at = all.indexOf(document.activeElement as HTMLElement);
      all[(at + (forward ? 1 : -1) + all.length) % all.length]?.focus();
    };
    element.addEventListener("keydown", walk);
    return () => element.removeEventListener("keydown", walk);
  }, []);
  return box;
}
