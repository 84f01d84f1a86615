/** The recordings of a meeting: how long, how large, fetching one, deleting one. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Dialog } from "./dialog";
import { moment, number, useT } from "./i18n";
import { codeOf } from "./problem";
import { deleteRecording, download, length, megabytes, recordingsOf, type RecordingsAccess } from "./recordings";
import { refusal } from "./refusal";
import { whoDid } from "./who";
import type { RecordingInfo, RecordingsAnswer } from "./wire";

const AGAIN_MS = 5_000;

interface Props {
  readonly access: RecordingsAccess;
  readonly onClose: () => void;
  /** What may be done about recording itself; above the list. */
  readonly children?: ComponentChildren;
  /** The list is asked again when this changes. */
  readonly turn?: unknown;
}

export function Recordings({ access, onClose, children, turn }: Props) {
  const t = useT();
  const [told, setTold] = useState<RecordingsAnswer | null>(null);
  const [deleting, setDeleting] = useState<string | null>(null);
  const [waiting, setWaiting] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const list = useRef<HTMLUListElement>(null);

  const load = () => recordingsOf(access).then(setTold, (error: unknown) => setProblem(codeOf(error)));
  /** One request at a time; a refusal becomes a sentence, and the list is asked again either way. */
  const act = async (request: () => Promise<void>) => {
    setWaiting(true);
    setProblem(null);
    await request().catch((error: unknown) => setProblem(codeOf(error)));
    await load();
    setWaiting(false);
  };
  useEffect(() => {
    void load();
    const timer = setInterval(() => void load(), AGAIN_MS);
    return () => clearInterval(timer);
  }, [turn]);

  /** The focus goes back to where the question was asked. */
  const keep = (id: string) => {
    setDeleting(null);
    requestAnimationFrame(() => list.current?.querySelector<HTMLElement>(`[data-recording="${id}"] .danger`)?.focus());
  };

  return (
    <Dialog
      title={t("recordings.title")}
      class="recordings"
      testid="recordings"
      onClose={() => (deleting === null ? onClose() : keep(deleting))}
    >
      {children}
      <p class="notice bad" role="alert" data-testid="recordings-problem" data-code={problem ?? ""} hidden={problem === null}>
        {problem === null ? "" : refusal(t, problem)}
      </p>
      <ul ref={list} aria-busy={told === null} data-testid="recordings-list">
        {told === null && problem === null && <li class="aside">{t("loading")}</li>}
        {told?.recordings.length === 0 && <li class="aside">{t("recordings.none")}</li>}
        {told?.recordings.map((one) => (
          <li key={one.id} data-recording={one.id} data-state={one.state}>
            <What one={one} />
            {one.state === "ready" && deleting !== one.id && (
              <span class="row">
                <button
                  class="btn small"
                  disabled={waiting}
                  aria-label={`${t("recordings.download")}: ${moment(one.started_at)}`}
                  data-testid="recording-download"
                  onClick={() => void act(() => download(access, one.id))}
                >
                  {t("recordings.download")}
                </button>
                <button
                  class="btn small danger"
                  disabled={waiting}
                  aria-label={`${t("recordings.delete")}: ${moment(one.started_at)}`}
                  data-testid="recording-delete"
                  onClick={() => setDeleting(one.id)}
                >
                  {t("recordings.delete")}…
                </button>
              </span>
            )}
            {deleting === one.id && (
              <Deleting
                waiting={waiting}
                onNo={() => keep(one.id)}
                onYes={() => void act(() => deleteRecording(access, one.id)).then(() => setDeleting(null))}
              />
            )}
          </li>
        ))}
      </ul>
      <p class="aside">
        {told === null ? "" : told.keep_days === 0 ? t("recordings.kept.ever") : t("recordings.kept", { days: told.keep_days })}
      </p>
      <div class="buttons">
        <button class="btn" onClick={onClose}>
          {t("recordings.close")}
        </button>
      </div>
    </Dialog>
  );
}

function What({ one }: { readonly one: RecordingInfo }) {
  const t = useT();
  const deleted =
    one.state !== "deleted"
      ? null
      : one.deleted_by === "retention"
        ? t("recordings.deleted.days", { time: moment(one.deleted_at ?? 0) })
        : t("recordings.deleted", { by: whoDid(t, one.deleted_by ?? ""), time: moment(one.deleted_at ?? 0) });
  return (
    <span class="what">
      <strong>{moment(one.started_at)}</strong>
      <span class="aside">
        {length(one.duration_s)} · {t("recordings.size", { n: number(megabytes(one)) })}
        {one.state === "recording" && ` · ${t("recording.on")}`}
        {one.mended && ` · ${t("recordings.mended")}`}
      </span>
      {deleted !== null && <span class="aside">{deleted}</span>}
    </span>
  );
}

interface DeletingProps {
  readonly waiting: boolean;
  readonly onYes: () => void;
  readonly onNo: () => void;
}

/** What deleting does, before it is done. The way back has the focus. */
function Deleting({ waiting, onYes, onNo }: DeletingProps) {
  const t = useT();
  const back = useRef<HTMLButtonElement>(null);
  useEffect(() => back.current?.focus(), []);
  return (
    <div class="deleting" role="group" aria-label={t("recordings.delete")}>
      <p id="deleting-text">{t("recordings.delete.text")}</p>
      <button ref={back} class="btn small" aria-describedby="deleting-text" onClick={onNo}>
        {t("recordings.delete.no")}
      </button>
      <button class="btn small danger" disabled={waiting} onClick={onYes} data-testid="recording-delete-yes">
        {t("recordings.delete.yes")}
      </button>
    </div>
  );
}
