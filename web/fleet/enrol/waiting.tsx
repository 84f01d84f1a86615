/** Who is on the way in, and who came to an end lately. */
import { useState } from "preact/hooks";
import type { EnrolmentRow, EnrolmentsAnswer, EnrolmentState } from "../../shared/fleet-wire";
import { useT } from "../i18n";
import { Ago, Confirm, Empty, Field, Mark, Problem, Skeleton, Table, Tag, toast, useFleet, type Asked, type Tone } from "../ui";

const TONES: Readonly<Record<EnrolmentState, Tone>> = {
  waiting: "info",
  bound: "info",
  collected: "ok",
  expired: "quiet",
  refused: "quiet",
  locked: "bad",
};

export function Waiting({ asked }: { readonly asked: Asked<EnrolmentsAnswer> }) {
  const t = useT();
  const [refusing, setRefusing] = useState<EnrolmentRow | null>(null);
  if (asked.value === undefined) {
    return asked.asking ? <Skeleton /> : <Problem error={asked.error} again={asked.again} />;
  }
  return (
    <>
      <Table
        label={t("enrol.tab.waiting")}
        rows={asked.value.enrolments}
        keyOf={(row) => row.id}
        rowPx={60}
        testid="enrolments"
        empty={
          <Empty title={t("enrol.none")}>
            <p>{t("enrol.none.text")}</p>
          </Empty>
        }
        columns={[
          {
            id: "state",
            head: t("enrol.col.state"),
            width: "200px",
            cell: (row) => <Mark tone={TONES[row.state]}>{t(`enrol.state.${row.state}`)}</Mark>,
          },
          { id: "device", head: t("enrol.col.device"), width: "minmax(220px, 1.2fr)", cell: (row) => <Who row={row} /> },
          {
            id: "words",
            head: t("enrol.col.words"),
            width: "minmax(280px, 1.2fr)",
            cell: (row) => (
              <span lang="vi" title={row.fingerprint}>
                {row.words.join(" · ")}
              </span>
            ),
          },
          { id: "asked", head: t("enrol.col.asked"), width: "130px", cell: (row) => <Ago at={row.asked_at} /> },
          { id: "by", head: t("enrol.col.by"), width: "140px", wide: true, cell: (row) => row.by ?? "" },
          {
            id: "act",
            head: "",
            width: "150px",
            cell: (row) =>
              (row.state === "waiting" || row.state === "bound") && (
                <button class="btn small" onClick={() => setRefusing(row)}>
                  {t("enrol.refuse")}
                </button>
              ),
          },
        ]}
      />
      {refusing !== null && <Refuse row={refusing} onDone={asked.again} onClose={() => setRefusing(null)} />}
    </>
  );
}

function Who({ row }: { readonly row: EnrolmentRow }) {
  const t = useT();
  const name = row.name ?? "";
  return (
    <span class="who">
      <span class="name">
        {row.device != null ? <a href={`/fleet/devices/${encodeURIComponent(row.device)}`}>{name || row.hardware}</a> : name || row.hardware}
        {row.preauthorised === true && <Tag>{t("enrol.preauthorised")}</Tag>}
      </span>
      <span>
        {t(`kind.${row.kind}`)} · {name === "" ? row.address : row.hardware}
      </span>
    </span>
  );
}

interface RefuseProps {
  readonly row: EnrolmentRow;
  readonly onDone: () => void;
  readonly onClose: () => void;
}

export function Refuse({ row, onDone, onClose }: RefuseProps) {
  const t = useT();
  const fleet = useFleet();
  const [why, setWhy] = useState("");
  return (
    <Confirm
      title={t("enrol.refuse")}
      verb={t("enrol.refuse")}
      danger
      onDo={async () => {
        await fleet.ask(`/enrolments/${encodeURIComponent(row.id)}/refuse`, { method: "POST", body: { why: why.trim() } });
        toast(t("enrol.refused"));
        onDone();
      }}
      onClose={onClose}
      testid="refuse"
    >
      <p>
        <strong lang="vi">{row.words.join(" · ")}</strong>
      </p>
      <p>{row.state === "bound" ? t("enrol.refuse.bound") : t("enrol.refuse.text")}</p>
      <Field label={t("enrol.refuse.why")} optional>
        <input class="input" value={why} maxLength={300} data-first onInput={(event) => setWhy(event.currentTarget.value)} />
      </Field>
    </Confirm>
  );
}
