/** Rollouts: the list, one rollout, and the bundles they are made of. */
import { useState } from "preact/hooks";
import { language, number } from "../../shared/i18n";
import type { BundlesAnswer, RolloutList, RolloutRow } from "../../shared/fleet-wire";
import { told, useT } from "../i18n";
import { go, place, setQuery } from "../router";
import { Empty, Mark, Moment, PageHead, Problem, Skeleton, Table, Tabs, useFleet, useLive, useStore, type Column } from "../ui";
import { Bundles, Upload } from "./bundles";
import { RolloutPage } from "./detail";
import { PlanDialog } from "./plan";
import { Bar } from "./rings";
import "./rollouts.css";
import { due, kindWord, timeWord, titleOf, TONES, total } from "./words";

export function RolloutsPage() {
  const fleet = useFleet();
  const { path } = useStore(place);
  const bundles = useLive(() => fleet.ask<BundlesAnswer>("/bundles"), [], (changed) => changed.rollouts.length > 0);
  const id = path[1];
  return <div class="rollouts">{id === undefined ? <Lists bundles={bundles} /> : <RolloutPage key={id} id={id} bundles={bundles} />}</div>;
}

type Tab = "list" | "bundles";

function Lists({ bundles }: { readonly bundles: ReturnType<typeof useLive<BundlesAnswer>> }) {
  const t = useT();
  const fleet = useFleet();
  const { query } = useStore(place);
  const tab: Tab = query.get("tab") === "bundles" ? "bundles" : "list";
  const asked = useLive(() => fleet.ask<RolloutList>("/rollouts"), [], (changed) => changed.rollouts.length > 0);
  const [planning, setPlanning] = useState<string | null>(null);
  const [uploading, setUploading] = useState(false);
  const mayPlan = fleet.allows("plan-rollout");
  return (
    <>
      <PageHead title={t("nav.rollouts")} sub={t("rollouts.sub")}>
        {mayPlan && (
          <>
            <button class={`btn ${tab === "bundles" ? "primary" : ""}`} data-testid="upload-open" onClick={() => setUploading(true)}>
              {t("rollouts.bundles.add")}
            </button>
            <button class={`btn ${tab === "list" ? "primary" : ""}`} data-testid="plan-open" onClick={() => setPlanning("")}>
              {t("rollouts.new")}
            </button>
          </>
        )}
      </PageHead>
      <Tabs
        label={t("nav.rollouts")}
        tabs={[
          { id: "list", label: t("rollouts.tab.list"), ...(asked.value === undefined ? {} : { count: asked.value.rollouts.length }) },
          { id: "bundles", label: t("rollouts.tab.bundles"), ...(bundles.value === undefined ? {} : { count: bundles.value.bundles.length }) },
        ]}
        current={tab}
        onChange={(id: Tab) => setQuery({ tab: id === "list" ? null : id })}
      />
      {tab === "bundles" ? <Bundles bundles={bundles} onPlan={setPlanning} /> : <List asked={asked} />}
      {uploading && (
        <Upload
          most_bytes={bundles.value?.max_bytes ?? 200 << 20}
          onDone={() => {
            bundles.again();
            setQuery({ tab: "bundles" });
          }}
          onClose={() => setUploading(false)}
        />
      )}
      {planning !== null && bundles.value !== undefined && (
        <PlanDialog
          bundles={bundles.value.bundles}
          bundle={planning}
          onDone={(row) => go(`/fleet/rollouts/${encodeURIComponent(row.id)}`)}
          onClose={() => setPlanning(null)}
        />
      )}
    </>
  );
}

function List({ asked }: { readonly asked: ReturnType<typeof useLive<RolloutList>> }) {
  const t = useT();
  const of = useStore(language);
  if (asked.value === undefined) {
    return asked.error === null ? <Skeleton /> : <Problem error={asked.error} again={asked.again} />;
  }
  const columns: readonly Column<RolloutRow>[] = [
    {
      id: "what",
      head: t("rollouts.col.what"),
      width: "minmax(0, 2fr)",
      cell: (row) => (
        <span class="two">
          <a href={`/fleet/rollouts/${encodeURIComponent(row.id)}`}>
            <strong>{titleOf(t, row)}</strong>
          </a>
          <span class="aside">
            {kindWord(t, row.kind)} {row.version}
          </span>
        </span>
      ),
    },
    {
      id: "state",
      head: t("rollouts.col.state"),
      width: "150px",
      cell: (row) => <Mark tone={TONES[row.state]}>{t(`rollouts.state.${row.state}`)}</Mark>,
    },
    {
      id: "progress",
      head: t("rollouts.col.progress"),
      width: "minmax(180px, 1fr)",
      cell: (row) => (
        <span class="two">
          <Bar rings={row.rings} label={titleOf(t, row)} />
          <span class="aside">
            {number(total(row.rings, "installed"))} / {number(row.rings.reduce((sum, ring) => sum + due(ring), 0))} {t("rollouts.step.installed")}
          </span>
        </span>
      ),
    },
    { id: "why", head: t("rollouts.col.why"), width: "minmax(0, 3fr)", wide: true, cell: (row) => <span class="why">{happens(row)}</span> },
    {
      id: "planned",
      head: t("rollouts.col.planned"),
      width: "140px",
      cell: (row) => (
        <span class="two">
          <Moment at={row.planned_at} />
          <span class="aside">{row.planners.join(", ")}</span>
        </span>
      ),
    },
  ];
  const happens = (row: RolloutRow): string => {
    if (row.reason !== null) return told(of, row.reason);
    if (row.state === "awaiting-approval") return t("rollouts.awaits");
    const current = row.rings.findLastIndex((ring) => ring.started_at !== null);
    const ring = row.rings[current];
    if (row.state !== "running" || ring === undefined) return "";
    const name = t("rollouts.ring", { n: current + 1 });
    if (ring.soak_ends_at === null) return name;
    const last = current === row.rings.length - 1;
    return `${name}. ${t(last ? "rollouts.ring.finish" : "rollouts.ring.soak", { time: timeWord(ring.soak_ends_at) })}`;
  };
  return (
    <div class="box fill">
      <Table
        label={t("rollouts.tab.list")}
        rows={asked.value.rollouts}
        columns={columns}
        keyOf={(row) => row.id}
        rowPx={56}
        keep="rollouts"
        onOpen={(row) => go(`/fleet/rollouts/${encodeURIComponent(row.id)}`)}
        testid="rollouts"
        empty={
          <Empty title={t("rollouts.none")}>
            <p>{t("rollouts.none.text")}</p>
          </Empty>
        }
      />
    </div>
  );
}
