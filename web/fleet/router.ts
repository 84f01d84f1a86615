/** Where the person is: the address bar is the state. Any `<a href="/fleet/…">` goes there without loading anew. */
import { Store } from "../shared/store";

const ROOT = "/fleet";

export interface Place {
  /** The parts after `/fleet`: `["devices", "k-17"]`; none: the list. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

export function parse(href: string): Place {
  const url = new URL(href, "http://here");
  const parts = url.pathname.startsWith(ROOT) ? url.pathname.slice(ROOT.length).split("/") : [];
  return { path: parts.filter((part) => part !== "").map(decoded), query: url.searchParams };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

const here = (): string => (typeof location === "undefined" ? ROOT : location.pathname + location.search);

export const place = new Store<Place>(parse(here()));

/** Go there. `replace`: the way back leads past where we are now. */
export function go(href: string, how: "push" | "replace" = "push"): void {
  if (how === "replace") history.replaceState(null, "", href);
  else if (href !== here()) history.pushState(null, "", href);
  place.set(parse(here()));
}

/** Change some of the query, without a step in the history; null or empty takes one out. */
export function setQuery(changes: Readonly<Record<string, string | null>>): void {
  const query = new URLSearchParams(place.get().query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  go(location.pathname + (text === "" ? "" : `?${text}`), "replace");
}

/** Listen to the browser's back and to clicks on our own links; gives back how to stop. */
export function startRouter(): () => void {
  const moved = () => place.set(parse(here()));
  const clicked = (event: MouseEvent) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element).closest("a");
    if (link === null || link.target !== "" || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (link.pathname !== ROOT && !link.pathname.startsWith(`${ROOT}/`)) return;
    event.preventDefault();
    go(link.pathname + link.search);
  };
  addEventListener("popstate", moved);
  document.addEventListener("click", clicked);
  return () => {
    removeEventListener("popstate", moved);
    document.removeEventListener("click", clicked);
  };
}
