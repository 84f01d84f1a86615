/** A small picture of a site, taken minutes ago, where none flows now. For officials; nothing where none is taken. */
import { useEffect, useState } from "preact/hooks";
import type { Room } from "../meeting/room";
import { clock, useT } from "./i18n";
import { useStore } from "./store";

/** Most pictures are there within a second; only who has none then is asked for. */
const PATIENCE_MS = 1_000;

interface Taken {
  readonly url: string;
  readonly at_s: number;
}

export function Still({ room, site }: { readonly room: Room; readonly site: string }) {
  const t = useT();
  const isTaken = useStore(room.state, (state) => state.features.includes("stills"));
  const [still, setStill] = useState<Taken | null>(null);
  useEffect(() => {
    if (!isTaken) return;
    let url: string | null = null;
    const stop = new AbortController();
    const load = async () => {
      const path = `/api/meetings/${encodeURIComponent(room.entry.meeting)}/stills/${encodeURIComponent(site)}`;
      const headers = { Authorization: `Bearer ${room.token()}` };
      const answer = await fetch(path, { headers, cache: "no-store", signal: stop.signal });
      if (!answer.ok) return;
      url = URL.createObjectURL(await answer.blob());
      const at_s = Date.parse(answer.headers.get("last-modified") ?? "") / 1000;
      if (!stop.signal.aborted) setStill({ url, at_s });
    };
    const timer = setTimeout(() => void load().catch(() => undefined), PATIENCE_MS); // there is none, then
    return () => {
      clearTimeout(timer);
      stop.abort();
      if (url !== null) URL.revokeObjectURL(url);
      setStill(null);
    };
  }, [isTaken, room, site]);
  if (still === null) return null;
  const when = t("still.at", { time: clock(still.at_s) });
  return (
    <figure class="still" data-testid="still" data-site={site}>
      <img src={still.url} alt={when} />
      <figcaption>{when}</figcaption>
    </figure>
  );
}
