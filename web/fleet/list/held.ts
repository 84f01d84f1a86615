/** A list that stands still under the pointer: rows change where they are, and take their new places afterwards. */
import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { DeviceRow } from "../../shared/fleet-wire";

const HELD_FOR_MS = 3_000; // after the pointer's last move over the list

/** The rows in the order that was held; what has left is left out, what has come stands at the end. Pure. */
export function inOrder(rows: readonly DeviceRow[], order: readonly string[]): readonly DeviceRow[] {
  const by = new Map(rows.map((row) => [row.id, row]));
  const held: DeviceRow[] = [];
  for (const id of order) {
    const row = by.get(id);
    if (row === undefined) continue;
    held.push(row);
    by.delete(id);
  }
  return [...held, ...by.values()];
}

/** `rows`, but in the order of before while the pointer is busy in `box`; `asked`: another question takes its own order at once. */
export function useHeldOrder(rows: readonly DeviceRow[], box: RefObject<HTMLElement | null>, asked: string): readonly DeviceRow[] {
  const [until_ms, setUntil] = useState(0);
  const order = useRef<{ readonly asked: string; readonly ids: readonly string[] }>({ asked, ids: [] });
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const hold = (event: Event) => {
      if ((event.target as Element).closest(".table-rows") === null) return;
      clearTimeout(timer);
      timer = setTimeout(() => setUntil(0), HELD_FOR_MS);
      setUntil((before) => (before === 0 ? 1 : before));
    };
    const kinds = ["pointermove", "pointerdown"] as const;
    for (const kind of kinds) element.addEventListener(kind, hold, { passive: true });
    return () => {
      clearTimeout(timer);
      for (const kind of kinds) element.removeEventListener(kind, hold);
    };
  }, []);
  const held = until_ms !== 0 && order.current.asked === asked && order.current.ids.length > 0;
  const shown = held ? inOrder(rows, order.current.ids) : rows;
  order.current = { asked, ids: shown.map(({ id }) => id) };
  return shown;
}
