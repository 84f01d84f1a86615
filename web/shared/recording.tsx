/** The sign that the meeting is recorded: a dot and a word, for everybody who is in it. */
import type { Room } from "../meeting/room";
import { clock, useT } from "./i18n";
import { useStore } from "./store";

export function RecordingSign({ room }: { readonly room: Room }) {
  const t = useT();
  const since = useStore(room.state, (state) => state.recording?.since ?? null);
  return (
    <span
      class={`recording-sign ${since === null ? "absent" : ""}`}
      role="status"
      data-testid="recording"
      data-on={String(since !== null)}
      title={since === null ? undefined : t("recording.since", { time: clock(since) })}
    >
      {since !== null && (
        <>
          <span class="dot" aria-hidden="true" />
          {t("recording.on")}
        </>
      )}
    </span>
  );
}
