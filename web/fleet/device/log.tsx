/** The device's log: what it and others did with it, the newest first. */
import type { LogAnswer, LogEntry } from "../../shared/fleet-wire";
import { language } from "../../shared/i18n";
import { told, useT } from "../i18n";
import { Empty, Mark, Moment, Problem, Skeleton, Table, useFleet, useLive, useNow, useStore, type Tone } from "../ui";

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
          { id: "what", head: t("log.what"), width: "minmax(0, 1fr)", cell: (entry) => <What entry={entry} words={entry.reason === null ? entry.text : told(of, entry.reason)} /> },
          { id: "by", head: t("log.by"), width: "180px", cell: ({ by }) => (by === "" || by === "agent" ? t("log.self") : by === "city" ? t("log.city") : by) },
        ]}
        empty={<Empty title={t("log.none")} />}
        testid="log"
      />
    </div>
  );
}

function What({ entry, words }: { readonly entry: LogEntry; readonly words: string }) {
  const text = words === "" ? entry.code : words;
  return <span title={text}>{text}</span>;
}
