/** In the meeting: which page for which role, and the voices for all of them. */
import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import { useT } from "../shared/i18n";
import { AUDIO_SLOTS } from "../shared/media";
import { Voice } from "../shared/picture";
import { useStore } from "../shared/store";
import { Desk } from "./desk/desk";
import { Frame } from "./enter/frame";
import type { Room } from "./room";
import { SitePage } from "./site/site";
import { ALONE } from "./wall/wall";

export function Inside({ room }: { readonly room: Room }) {
  const role = useStore(room.state, (state) => state.you?.role ?? null);
  const here = useStore(room.state, (state) => state.meeting !== null && state.stage !== null);
  useTold(room);
  useAwake();
  return (
    <>
      {role === null || !here ? (
        <Waiting />
      ) : role === "site" || role === "observer" ? (
        <SitePage room={room} />
      ) : (
        <Desk room={room} />
      )}
      {!ALONE && <Voices room={room} /> /* a wall of its own stands beside a desk that sounds already */}
    </>
  );
}

function Waiting() {
  const t = useT();
  return (
    <Frame>
      <section class="sheet" aria-busy="true" data-testid="connecting">
        <h1>{t("line.connecting")}</h1>
      </section>
    </Frame>
  );
}

function Voices({ room }: { readonly room: Room }) {
  const tracks = useStore(room.media, (media) => media.tracks);
  return (
    <div hidden>
      {AUDIO_SLOTS.map((slot) => (
        <Voice
          key={slot}
          slot={slot}
          track={tracks[slot]}
          speaker={room.entry.choice.speaker}
          blocked={room.soundBlocked}
        />
      ))}
    </div>
  );
}

/** What the window is in, on the root element, for whoever watches from outside. */
function useTold(room: Room): void {
  const line = useStore(room.line, (status) => status.kind);
  const media = useStore(room.media, (state) => state.status);
  const role = useStore(room.state, (state) => state.you?.role ?? "");
  const site = useStore(room.state, (state) => state.you?.site?.code ?? "");
  const title = useStore(room.state, (state) => state.meeting?.title ?? "");
  useLayoutEffect(() => {
    if (title !== "") document.title = `${title} – Điểm Cầu`;
  }, [title]);
  useLayoutEffect(() => {
    Object.assign(document.documentElement.dataset, { line, media, role, site });
  }, [line, media, role, site]);
}

/** The screen of a meeting does not go to sleep. */
function useAwake(): void {
  useEffect(() => {
    let lock: WakeLockSentinel | null = null;
    const ask = () => {
      if (document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
      navigator.wakeLock.request("screen").then(
        (given) => (lock = given),
        () => undefined, // low battery, or not a secure page: the room's own settings decide
      );
    };
    ask();
    document.addEventListener("visibilitychange", ask);
    return () => {
      document.removeEventListener("visibilitychange", ask);
      void lock?.release();
    };
  }, []);
}

/** The server's clock, in seconds UTC; draws again every `every_ms`. */
export function useNow(room: Room, every_ms = 1000): number {
  const ahead = useStore(room.state, (state) => state.clock_ahead_s);
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), every_ms);
    return () => clearInterval(timer);
  }, [every_ms]);
  return Date.now() / 1000 + ahead;
}
