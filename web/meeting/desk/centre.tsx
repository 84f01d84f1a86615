/** The middle of the desk: the stage, and what rules it. */
import { Dialog } from "../../shared/dialog";
import { useT } from "../../shared/i18n";
import { Camera, Cross, House, Lock, Microphone, Screen } from "../../shared/icons";
import { StageView } from "../../shared/stage";
import { useStore } from "../../shared/store";
import type { Mode } from "../../shared/wire";
import type { Room } from "../room";
import type { Acts } from "./acts";
import { LastActs } from "./last";

export const MODES: readonly Mode[] = ["chair-only", "called-site", "open", "break"];

interface Props {
  readonly room: Room;
  readonly acts: Acts;
  readonly ending: boolean;
  readonly onEnding: (ending: boolean) => void;
}

export function Centre({ room, acts, ending, onEnding }: Props) {
  return (
    <section class="panel centre">
      <DeskStage room={room} acts={acts} />
      <Modes room={room} acts={acts} />
      <Controls room={room} acts={acts} onEnd={() => onEnding(true)} />
      <LastActs room={room} />
      {ending && <Ending room={room} acts={acts} onClose={() => onEnding(false)} />}
    </section>
  );
}

function DeskStage({ room, acts }: { readonly room: Room; readonly acts: Acts }) {
  const t = useT();
  const stage = useStore(room.state, (state) => state.stage);
  const own = useStore(room.state, (state) => state.you?.site?.code ?? null);
  const tracks = useStore(room.media, (media) => media.tracks);
  const status = useStore(room.media, (media) => media.status);
  const camera = useStore(room.own, (mine) => mine.camera);
  const speaking = useStore(room.state, (state) => state.speaking);
  const step = useStore(room.state, (state) => state.line?.step ?? null);
  if (stage === null) return null;
  return (
    <div class="frame16">
      <StageView
        stage={stage}
        own={own}
        camera={camera}
        tracks={tracks}
        speaking={speaking}
        step={step}
        onTile={(site) =>
          room.may("set-stage") &&
          site.code !== stage.host.code && (
            <button
              class="remove"
              aria-label={t("desk.tile.remove", { site: site.name })}
              title={t("desk.tile.remove", { site: site.name })}
              onClick={() => acts.setTile(site.code, false)}
            >
              <Cross size={14} />
            </button>
          )
        }
      />
      {status !== "up" && (
        <p class="over" role="status">
          {status === "lost" ? t("media.lost") : t("media.connecting")}
        </p>
      )}
    </div>
  );
}

function Modes({ room, acts }: { readonly room: Room; readonly acts: Acts }) {
  const t = useT();
  const mode = useStore(room.state, (state) => state.meeting?.mode);
  const allowed = room.may("set-mode");
  return (
    <div class="modes" role="radiogroup" aria-label={t("desk.mode")} data-testid="modes">
      {MODES.map((one, i) => (
        <button
          key={one}
          role="radio"
          aria-checked={one === mode}
          aria-keyshortcuts={String(i + 1)}
          data-mode={one}
          disabled={!allowed && one !== mode}
          onClick={() => acts.setMode(one)}
        >
          {t(`mode.${one}`)}
          {allowed && <kbd>{i + 1}</kbd>}
        </button>
      ))}
    </div>
  );
}

function Controls({ room, acts, onEnd }: { readonly room: Room; readonly acts: Acts; readonly onEnd: () => void }) {
  const t = useT();
  const muted = useStore(room.state, (state) => state.microphones?.all_muted ?? false);
  const locked = useStore(room.state, (state) => state.meeting?.locked ?? false);
  const content = useStore(room.state, (state) => state.stage?.content ?? null);
  const hostIsMain = useStore(room.state, (state) => state.stage?.main.code === state.stage?.host.code);
  const sends = useStore(room.state, (state) => state.you?.site != null);
  const own = useStore(room.own);
  return (
    <div class="controls">
      {room.may("mute-all") && (
        <button
          class="btn small"
          data-testid="mute-all"
          aria-pressed={muted}
          aria-keyshortcuts={muted ? "Shift+M" : "M"}
          onClick={() => (muted ? acts.unmuteAll() : acts.muteAll())}
        >
          <Microphone off={!muted} />
          {muted ? t("desk.unmute") : t("desk.mute")}
        </button>
      )}
      {room.may("lock-meeting") && (
        <button
          class="btn small"
          data-testid="lock"
          aria-pressed={locked}
          aria-keyshortcuts="K"
          onClick={() => acts.setLocked(!locked)}
        >
          <Lock open={locked} />
          {locked ? t("desk.unlock") : t("desk.lock")}
        </button>
      )}
      {content !== null && room.may("stop-content") ? (
        <button class="btn small" data-testid="share" aria-pressed="true" onClick={() => acts.stopContent()}>
          <Screen />
          {t("desk.share.stop")}
        </button>
      ) : (
        sends &&
        room.may("share-content") && (
          <button class="btn small" data-testid="share" aria-keyshortcuts="S" onClick={() => void room.share()}>
            <Screen />
            {t("desk.share")}
          </button>
        )
      )}
      {room.may("set-stage") && (
        <button
          class="btn small icon-only"
          disabled={hostIsMain}
          aria-keyshortcuts="H"
          aria-label={t("desk.main.host")}
          title={t("desk.main.host")}
          onClick={() => acts.setMain(null)}
        >
          <House />
        </button>
      )}
      {sends && (
        <>
          <Toggle
            on={own.microphoneOn}
            icon={<Microphone off={!own.microphoneOn} />}
            word={own.microphoneOn ? t("desk.microphone.on") : t("desk.microphone.off")}
            testid="microphone"
            onPress={() => void room.setMicrophone(!own.microphoneOn)}
          />
          <Toggle
            on={own.cameraOn}
            icon={<Camera off={!own.cameraOn} />}
            word={own.cameraOn ? t("desk.camera.on") : t("desk.camera.off")}
            testid="camera"
            onPress={() => void room.setCamera(!own.cameraOn)}
          />
        </>
      )}
      {room.may("end-meeting") && (
        <button class="btn small danger end" data-testid="end" aria-keyshortcuts="Shift+E" onClick={onEnd}>
          {t("desk.end")}
        </button>
      )}
    </div>
  );
}

function Toggle({
  on,
  icon,
  word,
  testid,
  onPress,
}: {
  readonly on: boolean;
  readonly icon: preact.ComponentChildren;
  readonly word: string;
  readonly testid: string;
  readonly onPress: () => void;
}) {
  return (
    <button
      class={`btn small icon-only toggle ${on ? "" : "off"}`}
      aria-pressed={on}
      aria-label={word}
      title={word}
      data-testid={testid}
      onClick={onPress}
    >
      {icon}
    </button>
  );
}

/** Ending cannot be undone, so it is asked by naming what happens. */
function Ending({ room, acts, onClose }: { readonly room: Room; readonly acts: Acts; readonly onClose: () => void }) {
  const t = useT();
  const title = useStore(room.state, (state) => state.meeting?.title ?? "");
  const present = useStore(room.state, (state) => state.counts?.present ?? 0);
  return (
    <Dialog title={t("desk.end.title")} onClose={onClose} testid="ending">
      <p>{t("desk.end.text", { title, present })}</p>
      <div class="buttons">
        <button class="btn" data-first onClick={onClose}>
          {t("desk.end.no")}
        </button>
        <button
          class="btn danger primary"
          data-testid="end-yes"
          onClick={() => {
            onClose();
            acts.end();
          }}
        >
          {t("desk.end.yes")}
        </button>
      </div>
    </Dialog>
  );
}
