import { useEffect, useRef, useState } from "preact/hooks";

/** A value that changes, and those who want to know. */
export class Store<T> {
  private listeners = new Set<() => void>();

  constructor(private value: T) {}

  get(): T {
    return this.value;
  }

  set(value: T): void {
    if (Object.is(value, this.value)) return;
    this.value = value;
    for (const listener of [...this.listeners]) listener();
  }

  update(change: (value: T) => T): void {
    this.set(change(this.value));
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/** The part of a store that `pick` names; draws again only when that part is another value. */
export function useStore<T, P = T>(store: Store<T>, pick: (value: T) => P = identity as (value: T) => P): P {
  const [, redraw] = useState(0);
  const latest = useRef(pick);
  latest.current = pick;
  const picked = pick(store.get());
  const drawn = useRef(picked);
  drawn.current = picked;
  useEffect(() => {
    const look = () => {
      if (!Object.is(latest.current(store.get()), drawn.current)) redraw((n) => n + 1);
    };
    look(); // it may have changed between drawing and now
    return store.subscribe(look);
  }, [store]);
  return picked;
}

/** Call `expire` when what began at `at_ms` has lasted `shown_ms`. */
export function useExpiry(at_ms: number | undefined, shown_ms: number, expire: () => void): void {
  useEffect(() => {
    if (at_ms === undefined) return undefined;
    const timer = setTimeout(expire, at_ms + shown_ms - Date.now());
    return () => clearTimeout(timer);
  }, [at_ms]);
}

function identity<T>(value: T): T {
  return value;
}
