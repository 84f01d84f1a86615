/** When the machine has come to another network. */

interface Told extends EventTarget {
  readonly type?: string; // wifi, ethernet, cellular; not every browser tells
}

/** Call when it has; returns how to stop. */
export function onNetworkChange(changed: () => void): () => void {
  const told = (navigator as { readonly connection?: Told }).connection;
  let type = told?.type;
  const look = () => {
    // It also tells of every new estimate of how fast the line is.
    if (told?.type === type) return;
    type = told?.type;
    changed();
  };
  addEventListener("online", changed);
  told?.addEventListener("change", look);
  return () => {
    removeEventListener("online", changed);
    told?.removeEventListener("change", look);
  };
}
