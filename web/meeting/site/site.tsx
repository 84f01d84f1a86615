/** A bridge point's big screen, read from 4 m and used with a remote control. An observer sees it too. */
import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { clock, useT } from "../../shared/i18n";
import { Bars, Camera, Cross, Door, Hand, Loud, Microphone, People, Screen, Stop } from "../../shared/icons";
import { Picture } from "../../shared/picture";
import { RecordingSign } from "../../shared/recording";
import { StageView } from "../../shared/stage";
import { gradeOf } from "../../shared/steps";
import { useExpiry, useStore } from "../../shared/store";
import { useTheme } from "../../shared/theme";
import { useNow } from "../inside";
import type { Room } from "../room";
import { Leaving } from "./leaving";
import { OwnStep } from "./own-step";
import { PeopleCount, recalledPeople } from "./people";
import { useQuiet } from "./quiet";
import { useRemote } from "./remote";
import { sentence } from "./sentence";

const BACK_SHOWN_MS = 5_000;
const REFUSAL_SHOWN_MS = 6_000;
/** A press that was meant for what the button said a moment ago must not end a speech that has just begun. */
const SETTLE_MS = 1_000;

type Open = "people" | "leave" | null;

export function SitePage({ room }: { readonly room: Room }) {
  useTheme(true);
  const bar = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState<Open>(null);
  useRemote(bar, open === null);
  const quiet = useQuiet(room, bar, open !== null);
  return (
    <div class="site" data-testid="site-page" data-quiet={String(quiet)}>
      <Band room={room} />
      <SiteStage room={room} />
      <OwnStep room={room} />
      <RecordingSign room={room} />
      <Lower room={room} bar={bar} quiet={quiet} onOpen={setOpen} />
      {open === "people" && <PeopleCount room={room} onClose={() => setOpen(null)} />}
      {open === "leave" && <Leaving room={room} onClose={() => setOpen(null)} />}
    </div>
  );
}

/** On top: the meeting, who speaks, the line, the time. */
function Band({ room }: { readonly room: Room }) {
  const t = useT();
  const title = useStore(room.state, (state) => state.meeting?.title ?? "");
  const speaker = useStore(room.state, (state) => state.floor?.site ?? null);
  const voices = useStore(room.state, (state) => state.speaking);
  const grade = useStore(room.state, (state) => gradeOf(state.line));
  const line = useStore(room.line, (status) => status.kind);
  const now_s = useNow(room);
  const who = speaker ?? voices[0] ?? null;
  return (
    <header class="band">
      <p class="title">{title}</p>
      <p class="speaker" data-on={String(who !== null)} data-testid="speaker">
        {who === null ? (
          t("stage.nobody")
        ) : (
          <>
            <span class="onair">
              <Microphone size={32} />
              {t("stage.speaking")}
            </span>
            <strong>{who.name}</strong>
          </>
        )}
      </p>
      <p class={`quality ${line === "open" ? grade : "lost"}`} data-testid="line" data-grade={line === "open" ? grade : "lost"}>
        <Bars grade={line === "open" ? grade : "none"} size={40} />
        {line !== "open" ? t("line.short.lost") : grade === "none" ? t("line.short.none") : t(`line.${grade}`)}
      </p>
      <time>{clock(now_s)}</time>
    </header>
  );
}

function SiteStage({ room }: { readonly room: Room }) {
  const stage = useStore(room.state, (state) => state.stage);
  const own = useStore(room.state, (state) => state.you?.site?.code ?? null);
  const tracks = useStore(room.media, (media) => media.tracks);
  const camera = useStore(room.own, (mine) => mine.camera);
  const speaking = useStore(room.state, (state) => state.speaking);
  const step = useStore(room.state, (state) => state.line?.step ?? null);
  if (stage === null) return null;
  return <StageView stage={stage} own={own} camera={camera} tracks={tracks} speaking={speaking} step={step} />;
}

interface LowerProps {
  readonly room: Room;
  readonly bar: RefObject<HTMLDivElement | null>;
  readonly quiet: boolean;
  readonly onOpen: (what: Open) => void;
}

/** Below: what happens next, the one big button, small ones, and the own picture. */
function Lower({ room, bar, quiet, onOpen }: LowerProps) {
  const t = useT();
  const you = useStore(room.state, (state) => state.you);
  const own = useStore(room.own);
  const line = useStore(room.line, (status) => status.kind);
  const isMain = useStore(room.state, (state) => state.stage?.main.code === state.you?.site?.code);
  const onStage = isMain && line === "open";
  const speaking = useStore(room.state, (state) => state.floor?.site != null && state.floor.site.code === state.you?.site?.code);
  const contentIsOurs = useStore(
    room.state,
    (state) => state.stage?.content != null && state.stage.content.code === state.you?.site?.code,
  );
  const blocked = useStore(room.soundBlocked);
  const people = recalledPeople(room);
  const isSite = you?.role === "site";

  return (
    <footer class="lower" data-speaking={String(speaking)}>
      <div class="words">
        <Next room={room} quiet={quiet} />
        <div class="bar" ref={bar}>
          {isSite && <BigButton room={room} />}
          {blocked && (
            <button class="small alert" onClick={() => room.soundBlocked.set(false)} data-testid="sound">
              <Loud size={36} />
              {t("stage.sound")}
            </button>
          )}
          {isSite && (
            <>
              <button
                class={`small ${own.microphoneOn ? "" : "off"}`}
                data-testid="microphone"
                aria-pressed={own.microphoneOn}
                onClick={() => void room.setMicrophone(!own.microphoneOn)}
              >
                <Microphone size={36} off={!own.microphoneOn} />
                {own.microphoneOn ? t("site.microphone.on") : t("site.microphone.off")}
              </button>
              <button
                class={`small ${own.cameraOn ? "" : "off"}`}
                data-testid="camera"
                aria-pressed={own.cameraOn}
                onClick={() => void room.setCamera(!own.cameraOn)}
              >
                <Camera size={36} off={!own.cameraOn} />
                {own.cameraOn ? t("site.camera.on") : t("site.camera.off")}
              </button>
              {speaking && (
                <button
                  class="small"
                  data-testid="share"
                  aria-pressed={contentIsOurs}
                  onClick={() => void (contentIsOurs ? room.stopSharing() : room.share())}
                >
                  <Screen size={36} />
                  {contentIsOurs ? t("site.share.stop") : t("site.share")}
                </button>
              )}
              {!speaking && (
                <button class="small" data-testid="people" onClick={() => onOpen("people")}>
                  <People size={36} />
                  {people === null ? t("site.people.unknown") : t("site.people", { n: people })}
                </button>
              )}
            </>
          )}
          {!speaking && (
            <button class="small" data-testid="leave" onClick={() => onOpen("leave")}>
              <Door size={36} />
              {t("site.leave")}
            </button>
          )}
        </div>
      </div>
      {isSite && (
        <div class="own" data-onair={String(onStage)}>
          <Picture
            track={own.camera}
            slot="own"
            site={you.site?.code ?? null}
            mirrored
            card={
              <>
                <Camera size={48} off />
                <span class="what">{t("stage.own.none")}</span>
              </>
            }
          />
          <p>
            {onStage && <span class="onair">{t("stage.onair")}</span>}
            {you.site?.name}
          </p>
        </div>
      )}
    </footer>
  );
}

/** The sentence, said aloud by screen readers when it changes. */
function Next({ room, quiet }: { readonly room: Room; readonly quiet: boolean }) {
  const t = useT();
  const state = useStore(room.state);
  const line = useStore(room.line, (status) => status.kind);
  const media = useStore(room.media, (is) => is.status);
  const place = useStore(room.queue.place);
  const microphoneOn = useStore(room.own, (mine) => mine.microphoneOn);
  const raised = useStore(room.queue.raised);
  const justBack = useJustBack(line);
  const notice = useStore(room.notice);
  useExpiry(notice?.at_ms, REFUSAL_SHOWN_MS, () => room.notice.set(null));
  const now_s = useNow(room);
  const { text, tone } = sentence(t, {
    state,
    line,
    media,
    justBack,
    microphoneOn,
    place,
    waiting: raised,
    refused: notice?.code ?? null,
    quiet,
    now_s,
  });
  return (
    <p class="next" role="status" aria-live="polite" data-tone={tone} data-testid="next">
      {text}
    </p>
  );
}

/** True for some seconds after a lost line has come back. */
function useJustBack(line: string): boolean {
  const [justBack, setJustBack] = useState(false);
  const wasLost = useRef(false);
  useEffect(() => {
    if (line === "lost") wasLost.current = true;
    if (line !== "open" || !wasLost.current) return undefined;
    wasLost.current = false;
    setJustBack(true);
    const timer = setTimeout(() => setJustBack(false), BACK_SHOWN_MS);
    return () => {
      clearTimeout(timer);
      setJustBack(false);
    };
  }, [line]);
  return justBack;
}

/** The one thing a bridge point does now. */
function BigButton({ room }: { readonly room: Room }) {
  const t = useT();
  const speaking = useStore(room.state, (state) => state.floor?.site != null && state.floor.site.code === state.you?.site?.code);
  const raised = useStore(room.queue.raised);
  const act = speaking ? "yield" : raised ? "lower" : "raise";
  const since_ms = useRef(0);
  useEffect(() => {
    since_ms.current = performance.now();
  }, [act]);
  const press = () => {
    if (act === "yield" && performance.now() - since_ms.current < SETTLE_MS) return undefined;
    switch (act) {
      case "yield":
        return room.do({ type: "yield-floor" });
      case "lower":
        return room.do({ type: "lower-hand" });
      case "raise":
        return room.do({ type: "raise-hand" });
    }
  };
  return (
    <button class={`big ${act}`} data-testid="big" data-act={act} data-home onClick={() => void press()}>
      {act === "raise" ? <Hand /> : act === "yield" ? <Stop /> : <Cross />}
      {t(`site.${act}`)}
    </button>
  );
}
