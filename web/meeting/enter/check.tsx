/** Before joining: is there a picture, is there a voice, can the room hear? */
import { useEffect, useRef, useState } from "preact/hooks";
import * as devices from "../../shared/devices";
import { useT } from "../../shared/i18n";
import { Camera, Loud, Microphone } from "../../shared/icons";
import { Picture } from "../../shared/picture";
import type { TicketAnswer } from "../../shared/wire";
import { Frame } from "./frame";

export interface Checked {
  readonly camera: MediaStreamTrack | null;
  readonly microphone: MediaStreamTrack | null;
  readonly choice: devices.Choice;
}

type Lists = Awaited<ReturnType<typeof devices.list>>;

const NOTHING: devices.Opened = { track: null, problem: null };
const NO_LISTS: Lists = { camera: [], microphone: [], speaker: [] };

export function Check({
  ticket,
  onEnter,
}: {
  readonly ticket: TicketAnswer;
  readonly onEnter: (checked: Checked) => void;
}) {
  const t = useT();
  const sends = ticket.site !== null;
  const [choice, setChoice] = useState(devices.rememberedChoice);
  const [asking, setAsking] = useState(sends);
  const [camera, setCamera] = useState(NOTHING);
  const [microphone, setMicrophone] = useState(NOTHING);
  const [lists, setLists] = useState(NO_LISTS);
  const [toning, setToning] = useState(false);

  const look = async () => {
    setAsking(true);
    camera.track?.stop();
    microphone.track?.stop();
    const opened = await devices.openBoth(choice);
    setCamera(opened.camera);
    setMicrophone(opened.microphone);
    setAsking(false);
    setLists(await devices.list());
  };
  useEffect(() => {
    if (sends) void look();
    else void devices.list().then(setLists);
    const changed = () => void devices.list().then(setLists);
    navigator.mediaDevices?.addEventListener("devicechange", changed);
    return () => navigator.mediaDevices?.removeEventListener("devicechange", changed);
  }, []);

  const choose = async (kind: keyof devices.Choice, id: string) => {
    const next = { ...choice, [kind]: id === "" ? null : id };
    setChoice(next);
    devices.rememberChoice(next);
    if (kind === "camera") {
      camera.track?.stop();
      setCamera(await devices.open("camera", next.camera));
    } else if (kind === "microphone") {
      microphone.track?.stop();
      setMicrophone(await devices.open("microphone", next.microphone));
    }
  };

  const tone = async () => {
    setToning(true);
    await devices.playTestTone(choice.speaker).catch(() => undefined);
    setToning(false);
  };

  const ready = camera.track !== null && microphone.track !== null;
  const bad = camera.problem !== null || microphone.problem !== null;
  const insecure = camera.problem === "insecure";

  return (
    <Frame dark={ticket.role === "site"}>
      <section class={`check ${sends ? "" : "silent"}`} data-testid="check">
        <header>
          <h1>{ticket.title}</h1>
          <p>
            {t("check.for", { role: t(`role.${ticket.role}`) })}
            {ticket.site !== null && (
              <>
                {" · "}
                <strong>{[ticket.site.name, ticket.site.district].filter(Boolean).join(", ")}</strong>
              </>
            )}
          </p>
        </header>

        {sends && (
          <Picture
            track={camera.track}
            slot="own"
            site={ticket.site?.code ?? null}
            mirrored
            class="preview"
            card={
              <>
                <Camera size={48} off />
                <span class="who" role="status" data-testid="camera-trouble">
                  {asking ? t("check.asking") : <CameraWords problem={camera.problem} />}
                </span>
              </>
            }
          />
        )}

        <div class="devices">
          {sends && (
            <>
              <Device
                kind="camera"
                list={lists.camera}
                chosen={camera.track?.getSettings().deviceId ?? choice.camera}
                onChoose={(id) => void choose("camera", id)}
              />
              <Device
                kind="microphone"
                list={lists.microphone}
                chosen={microphone.track?.getSettings().deviceId ?? choice.microphone}
                onChoose={(id) => void choose("microphone", id)}
              />
              <Level track={microphone.track} words={asking ? t("check.off") : microphoneWords(t, camera, microphone)} />
            </>
          )}
          <Device
            kind="speaker"
            list={lists.speaker}
            chosen={choice.speaker}
            onChoose={(id) => void choose("speaker", id)}
          />
          <button class="btn" onClick={() => void tone()} disabled={toning} data-testid="tone">
            <Loud />
            {toning ? t("check.toning") : t("check.tone")}
          </button>
        </div>

        <footer>
          <div class="words" role="status" aria-live="polite">
            {ready && <p class="fine">{t("check.ready")}</p>}
            {bad && <p class="notice">{without(t, camera.problem !== null, microphone.problem !== null)}</p>}
          </div>
          <div class="buttons">
            {bad && !insecure && (
              <button class="btn" onClick={() => void look()} disabled={asking}>
                {t("check.again")}
              </button>
            )}
            <button
              class="btn primary"
              autofocus
              data-testid="enter"
              onClick={() => onEnter({ camera: camera.track, microphone: microphone.track, choice })}
            >
              {t("check.enter")}
            </button>
          </div>
        </footer>
      </section>
    </Frame>
  );
}

function without(t: ReturnType<typeof useT>, camera: boolean, microphone: boolean): string {
  if (camera && microphone) return t("check.without");
  return camera ? t("check.without.camera") : t("check.without.microphone");
}

function CameraWords({ problem }: { readonly problem: devices.DeviceProblem | null }) {
  const t = useT();
  if (problem === null) return <>{t("stage.own.none")}</>;
  if (problem !== "insecure") return <>{t(`device.${problem}.camera`)}</>;
  return (
    <>
      {t("device.insecure.camera")} {t("device.insecure.microphone")}
    </>
  );
}

/** What is wrong with the microphone; briefly, where it is the same as with the camera. */
function microphoneWords(
  t: ReturnType<typeof useT>,
  camera: devices.Opened,
  { problem }: devices.Opened,
): string | null {
  if (problem === null) return null;
  return camera.problem === problem ? t(`device.also.${problem}`) : t(`device.${problem}.microphone`);
}

function Device({
  kind,
  list,
  chosen,
  onChoose,
}: {
  readonly kind: "camera" | "microphone" | "speaker";
  readonly list: readonly devices.Listed[];
  readonly chosen: string | null;
  readonly onChoose: (id: string) => void;
}) {
  const t = useT();
  const word = t(`check.${kind}`);
  return (
    <div class="field">
      <label for={`device-${kind}`}>{word}</label>
      <select
        id={`device-${kind}`}
        class="input"
        value={chosen ?? ""}
        onChange={(event) => onChoose(event.currentTarget.value)}
        disabled={list.length === 0}
      >
        {(list.length === 0 || kind === "speaker") && <option value="">{t("check.default")}</option>}
        {list.map(({ id, label }, i) => (
          <option key={id} value={id}>
            {label || t("check.nth", { kind: word, n: i + 1 })}
          </option>
        ))}
      </select>
    </div>
  );
}

/** How loud the microphone is, drawn without drawing the page again. */
function Level({ track, words }: { readonly track: MediaStreamTrack | null; readonly words: string | null }) {
  const t = useT();
  const bar = useRef<HTMLDivElement>(null);
  const [heard, setHeard] = useState(false);
  useEffect(() => {
    setHeard(false);
    if (track === null) return;
    const meter = new devices.Meter(track);
    let frame = 0;
    const draw = () => {
      const level = meter.level();
      if (level > 0.35) setHeard(true);
      if (bar.current !== null) bar.current.style.transform = `scaleX(${level.toFixed(3)})`;
      frame = requestAnimationFrame(draw);
    };
    draw();
    return () => {
      cancelAnimationFrame(frame);
      meter.close();
    };
  }, [track]);
  return (
    <div class="level" data-heard={String(heard)}>
      <Microphone off={track === null} />
      <div class="meter" role="img" aria-label={t("check.level")}>
        <div ref={bar} />
      </div>
      <p data-testid="microphone-trouble">
        {track === null ? (words ?? t("check.off")) : heard ? t("check.heard") : t("check.speak")}
      </p>
    </div>
  );
}
