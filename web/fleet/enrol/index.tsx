/** Letting devices in: by the code on their screen, by list; and who waits. */
import { useState } from "preact/hooks";
import type { EnrolmentsAnswer, ExpectedAnswer } from "../../shared/fleet-wire";
import { useT } from "../i18n";
import { PageHead, Tabs, useFleet, useLive, useRows } from "../ui";
import { ByCode } from "./by-code";
import "./enrol.css";
import { Expected } from "./expected";
import { Waiting } from "./waiting";

type Tab = "code" | "waiting" | "expected";

export function EnrolPage() {
  const t = useT();
  const fleet = useFleet();
  const [tab, setTab] = useState<Tab>("code");
  const mayExpect = fleet.allows("preauthorise");
  const enrolments = useLive(() => fleet.ask<EnrolmentsAnswer>("/enrolments"), [], (changed) => changed.enrolments);
  const expected = useLive(
    () => (mayExpect ? fleet.ask<ExpectedAnswer>("/expected") : Promise.resolve({ expected: [] })),
    [mayExpect],
    (changed) => changed.enrolments,
  );
  const waiting = (enrolments.value?.enrolments ?? []).filter(({ state }) => state === "waiting").length;
  return (
    <div class="enrol">
      <PageHead title={t("enrol.title")} sub={t("enrol.sub")} />
      <Quarantined />
      <Tabs
        label={t("enrol.title")}
        tabs={[
          { id: "code", label: t("enrol.tab.code") },
          { id: "waiting", label: t("enrol.tab.waiting"), count: waiting },
          ...(mayExpect ? [{ id: "expected" as const, label: t("enrol.tab.expected"), count: expected.value?.expected.length ?? 0 }] : []),
        ]}
        current={tab}
        onChange={setTab}
      />
      {tab === "code" && <ByCode enrolments={enrolments.value?.enrolments ?? []} />}
      {tab === "waiting" && <Waiting asked={enrolments} />}
      {tab === "expected" && <Expected asked={expected} />}
    </div>
  );
}

/** What keeps devices out now, since it is here that people wonder why one does not come in. */
function Quarantined() {
  const t = useT();
  const rows = [...useRows().values()].filter(({ state }) => state === "quarantined");
  if (rows.length === 0) return null;
  const cloned = rows.filter(({ reason }) => reason?.code === "cloned-key").length;
  return (
    <div class="notice warn" role="status" data-testid="quarantined">
      <p>
        <strong>{t("enrol.quarantined", { n: rows.length })}.</strong>{" "}
        {cloned > 0 ? t("enrol.quarantined.cloned", { n: cloned }) : t("enrol.quarantined.text")}
      </p>
      <a class="btn small" href="/fleet?status=quarantined">
        {t("enrol.quarantined.see")}
      </a>
    </div>
  );
}
