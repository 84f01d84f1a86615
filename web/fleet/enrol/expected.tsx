/** Devices whose keys are known beforehand. */
import { useState } from "preact/hooks";
import type { ExpectAnswer, ExpectedAnswer, ListFault } from "../../shared/fleet-wire";
import { Refused } from "../../shared/problem";
import { useT, type Translate } from "../i18n";
import { Ago, Confirm, Empty, Field, Panel, Problem, Skeleton, Table, toast, useAct, useFleet, usePlaces, type Asked } from "../ui";

export function Expected({ asked }: { readonly asked: Asked<ExpectedAnswer> }) {
  const t = useT();
  const fleet = useFleet();
  const places = usePlaces();
  const { act } = useAct();
  const [adding, setAdding] = useState(false);
  if (asked.value === undefined) {
    return asked.asking ? <Skeleton /> : <Problem error={asked.error} again={asked.again} />;
  }
  const remove = (fingerprint: string) =>
    act(() => fleet.ask(`/expected/${fingerprint}`, { method: "DELETE" }).then(asked.again), t("enrol.expected.removed"));
  return (
    <>
      <Panel
        title={t("enrol.tab.expected")}
        actions={
          <button class="btn primary" data-testid="add-expected" onClick={() => setAdding(true)}>
            {t("enrol.expected.add")}
          </button>
        }
      >
        <p class="aside">{t("enrol.expected.text")}</p>
      </Panel>
      <Table
        label={t("enrol.tab.expected")}
        rows={asked.value.expected}
        keyOf={(row) => row.fingerprint}
        testid="expected"
        empty={<Empty title={t("enrol.expected.none")} />}
        columns={[
          { id: "name", head: t("enrol.col.device"), width: "minmax(200px, 1fr)", cell: (row) => row.name },
          {
            id: "unit",
            head: t("enrol.col.unit"),
            width: "minmax(180px, 1fr)",
            cell: (row) => places?.unit.get(row.place.unit)?.name ?? row.place.unit,
          },
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
          { id: "added", head: t("enrol.col.added"), width: "130px", wide: true, cell: (row) => <Ago at={row.added_at} /> },
          {
            id: "act",
            head: "",
            width: "130px",
            cell: (row) => (
              <button class="btn small" onClick={() => remove(row.fingerprint)}>
                {t("enrol.expected.remove")}
              </button>
            ),
          },
        ]}
      />
      {adding && <Add onAdded={asked.again} onClose={() => setAdding(false)} />}
    </>
  );
}

function Add({ onAdded, onClose }: { readonly onAdded: () => void; readonly onClose: () => void }) {
  const t = useT();
  const fleet = useFleet();
  const [csv, setCsv] = useState("");
  const [faults, setFaults] = useState<readonly ListFault[]>([]);
  const add = async () => {
    setFaults([]);
    const answer = await fleet.ask<ExpectAnswer>("/expected", { method: "POST", body: { csv } });
    const wrong = answer.faults ?? [];
    if (wrong.length > 0) {
      setFaults(wrong);
      throw new Refused("list-faults", "");
    }
    toast(t("enrol.expected.added", { n: answer.added }));
    onAdded();
  };
  return (
    <Confirm title={t("enrol.expected.add").replace("…", "")} verb={t("enrol.expected.do")} disabled={csv.trim() === ""} onDo={add} onClose={onClose} wide testid="expect">
      <Field label={t("enrol.expected.list")} hint={t("enrol.expected.hint")}>
        <textarea
          class="input csv"
          rows={10}
          value={csv}
          spellcheck={false}
          placeholder="fingerprint,name,unit"
          data-first
          data-testid="csv"
          onInput={(event) => setCsv(event.currentTarget.value)}
        />
      </Field>
      <label class="btn file">
        {t("enrol.expected.file")}
        <input
          type="file"
          class="sr"
          accept=".csv,text/csv,text/plain"
          onChange={(event) => {
            const file = event.currentTarget.files?.[0];
            void file?.text().then(setCsv);
          }}
        />
      </label>
      {faults.length > 0 && (
        <div class="notice bad faults" role="alert" data-testid="faults">
          <ul>
            {faults.map((fault, i) => (
              <li key={i}>
                {t("enrol.expected.line", { n: fault.line })}: {faultWords(t, fault)}
              </li>
            ))}
          </ul>
        </div>
      )}
    </Confirm>
  );
}

const FAULTS = ["empty", "bad-csv", "no-column", "too-many", "twice", "enrolled", "unknown-site", "invalid"] as const;

function faultWords(t: Translate, { code }: ListFault): string {
  const known = FAULTS.find((one) => one === code) ?? "invalid";
  return t(`enrol.fault.${known}`);
}
