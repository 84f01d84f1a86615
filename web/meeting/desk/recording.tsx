/** Recording from the desk: the button, and beginning and ending above the list of what there is. */
import { useMemo } from "preact/hooks";
import { clock, useT } from "../../shared/i18n";
import { RecordingSign } from "../../shared/recording";
import { Recordings } from "../../shared/recordings-dialog";
import { useStore } from "../../shared/store";
import type { Room } from "../room";
import type { Acts } from "./acts";

interface BadgeProps {
  readonly room: Room;
  readonly onOpen: () => void;
}

/** The sign that the meeting is recorded; for those who may change that, it opens the dialog. */
export function RecordingBadge({ room, onOpen }: BadgeProps) {
  const t = useT();
  const mayRecord = useStore(room.state, (state) => state.you?.may.includes("start-recording") ?? false);
  const on = useStore(room.state, (state) => (state.recording?.since ?? null) !== null);
  if (!mayRecord) return <RecordingSign room={room} />;
  return (
    <button class="btn small recording-open" aria-keyshortcuts="G" data-testid="recordings-open" onClick={onOpen}>
      {on ? <RecordingSign room={room} /> : t("recording.open")}
    </button>
  );
}

interface Props {
  readonly room: Room;
  readonly acts: Acts;
  readonly onClose: () => void;
}

export function DeskRecordings({ room, acts, onClose }: Props) {
  const t = useT();
  const since = useStore(room.state, (state) => state.recording?.since ?? null);
  const notice = useStore(room.notice);
  const access = useMemo(
    () => ({ meeting: room.entry.meeting, headers: () => ({ Authorization: `Bearer ${room.token()}` }) }),
    [room],
  );
  const on = since !== null;
  return (
    <Recordings access={access} onClose={onClose} turn={`${since} ${notice?.at_ms ?? ""}`}>
      <div class="switch" data-testid="recording-switch" data-on={String(on)}>
        <p>{on ? t("recording.since", { time: clock(since) }) : t("recording.before")}</p>
        <button
          class={on ? "btn danger" : "btn primary"}
          data-first
          data-testid="recording-toggle"
          onClick={() => acts.setRecording(!on)}
        >
          {on ? t("recording.stop") : t("recording.start")}
        </button>
      </div>
    </Recordings>
  );
}
