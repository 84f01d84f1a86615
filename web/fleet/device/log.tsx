/** The device's log: what it and others did with it, the newest first. */
import type { LogAnswer, LogEntry } from "../../shared/fleet-wire";
import { language, type Language } from "../../shared/i18n";
import { told, useT, type Translate } from "../i18n";
import { Empty, Mark, Moment, Problem, Skeleton, STATUSES, Table, useFleet, useLive, useNow, useStore, type Tone } from "../ui";

const TONES: Readonly<Record<LogEntry["level"], Tone>> = { info: "quiet", warning: "warn", error: "bad" };
const AGAIN_S = 30;

export function Log({ id }: { readonly id: string }) {
  const t = useT();
  const fleet = useFleet();
  const now = useNow();
  const of = useStore(language);
  const { value, error, again } = useLive(
    () => fleet.ask<LogAnswer>(`/devices/${encodeURIComponent(id)}/log`),
    [id],
    (changed) => changed.commands.includes(id),
    Math.floor(now / AGAIN_S),
  );
  if (value === undefined) return error === null ? <Skeleton /> : <Problem error={error} again={again} />;
  return (
    <div class="log">
      <Table
        label={t("device.tab.log")}
        rows={value.entries}
        keyOf={(entry) => `${entry.at}-${entry.code}-${entry.text}`}
        rowPx={40}
        columns={[
          { id: "at", head: t("log.at"), width: "120px", cell: ({ at }) => <Moment at={at} /> },
          { id: "level", head: t("log.level"), width: "130px", cell: ({ level }) => <Mark tone={TONES[level]}>{t(`log.${level}`)}</Mark> },
          { id: "what", head: t("log.what"), width: "minmax(0, 1fr)", cell: (entry) => <What entry={entry} words={wordsOf(t, of, entry)} /> },
          { id: "by", head: t("log.by"), width: "180px", cell: ({ by }) => (by === "" || by === "agent" ? t("log.self") : by === "city" ? t("log.city") : by) },
        ]}
        empty={<Empty title={t("log.none")} />}
        testid="log"
      />
    </div>
  );
}

/** The server's sentence, the device's own text, or words for a code that says it all. */
function wordsOf(t: Translate, of: Language, { code, text, reason }: LogEntry): string {
  if (reason !== null) return told(of, reason);
  if (text !== "") return text;
  if (code === "connected" || code === "gone") return t(`log.code.${code}`);
  const status = STATUSES.find((one) => code === `status-${one}`);
  return status === undefined ? code : t("log.code.status", { status: t(`status.${status}`) });
}

function What({ entry, words }: { readonly entry: LogEntry; readonly words: string }) {
  return <span title={`${entry.code}: ${words}`}>{words}</span>;
}
