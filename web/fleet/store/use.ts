/** The fleet within the pages. */
import { createContext } from "preact";
import { useContext, useEffect, useRef, useState } from "preact/hooks";
import { useStore } from "../../shared/store";
import type { DeviceRow } from "../../shared/fleet-wire";
import type { Changed, Fleet, Places } from "./fleet";

export const FleetContext = createContext<Fleet | null>(null);

export function useFleet(): Fleet {
  const fleet = useContext(FleetContext);
  if (fleet === null) throw new Error("outside of the shell");
  return fleet;
}

/** Every row this person sees, live. */
export function useRows(): ReadonlyMap<string, DeviceRow> {
  return useStore(useFleet().state, (state) => state.rows);
}

export function useRow(id: string): DeviceRow | undefined {
  return useStore(useFleet().state, (state) => state.rows.get(id));
}

export function usePlaces(): Places | null {
  return useStore(useFleet().places);
}

/** Seconds, UTC, by the server's clock; goes on every five seconds. */
export function useNow(): number {
  return useStore(useFleet().now);
}

/** What was asked by REST. `value` stays while it is asked again; `error` is the last refusal. */
export interface Asked<T> {
  readonly value: T | undefined;
  readonly error: unknown;
  readonly asking: boolean;
  readonly again: () => void;
}

/**
 * Something by REST, kept fresh: asked at once, when `keys` change, when `wants` says that a change of the feed
 * concerns it, when `tick` is another value, and after the line was cut. Other `keys` forget the answer. At most one question at a time; the newest answer holds.
 *
 *     const incidents = useLive(() => fleet.ask<IncidentsAnswer>("/incidents"), [], (c) => c.incidents.length > 0);
 */
export function useLive<T>(
  ask: () => Promise<T>,
  keys: readonly unknown[],
  wants: (changed: NonNullable<Changed>) => boolean = () => false,
  tick: unknown = null,
): Asked<T> {
  const fleet = useFleet();
  const latest = useRef({ ask, wants });
  latest.current = { ask, wants };
  const [answer, setAnswer] = useState<{ readonly value: T | undefined; readonly error: unknown }>({
    value: undefined,
    error: null,
  });
  const [asking, setAsking] = useState(true);
  const again = useRef(() => undefined as void);

  useEffect(() => {
    let over = false;
    let busy = false;
    let once_more = false;
    const look = () => {
      if (over) return;
      if (busy) {
        once_more = true;
        return;
      }
      busy = true;
      setAsking(true);
      const then = (next: (before: { value: T | undefined; error: unknown }) => { value: T | undefined; error: unknown }) => {
        if (over) return;
        busy = false;
        setAnswer((before) => next(before as { value: T | undefined; error: unknown }));
        setAsking(once_more);
        if (!once_more) return;
        once_more = false;
        look();
      };
      latest.current.ask().then(
        (value) => then(() => ({ value, error: null })),
        (error: unknown) => then(({ value }) => ({ value, error })),
      );
    };
    again.current = look;
    setAnswer({ value: undefined, error: null });
    look();
    const stop = fleet.listen((changed) => {
      if (changed === null || latest.current.wants(changed)) look();
    });
    return () => {
      over = true;
      stop();
    };
  }, [fleet, ...keys]);

  const ticked = useRef(tick);
  useEffect(() => {
    if (ticked.current !== tick) again.current();
    ticked.current = tick;
  }, [tick]);

  return { ...answer, asking, again: () => again.current() };
}
