/** One rollout: where it stands and why, its rings, how residents fare, its devices, and what may be done. */
import { useState } from "preact/hooks";
import { language, number } from "../../shared/i18n";
import type { BundlesAnswer, MemberRow, MembersPage, RolloutDetail, RolloutRow } from "../../shared/fleet-wire";
import { told, useT, type Translate } from "../i18n";
import { Confirm, Empty, Facts, Field, Mark, Moment, PageHead, Panel, Problem, Select, Skeleton, span, Table, Tag, toast, useAct, useFleet, useLive, useStore, type Asked, type Column, type Tone } from "../ui";
import { go } from "../router";
import { Experience } from "./experience";
import { PlanDialog } from "./plan";
import { Rings } from "./rings";
import { codeWord, kindWord, minuteWord, percent, titleOf, TONES, total } from "./words";

type MemberStep = MemberRow["step"];

const MEMBERS = 200;
const DONE = ["submit", "approve", "pause", "resume"] as const;
const STEP_TONES: Readonly<Partial<Record<MemberStep, Tone>>> = { installed: "ok", failed: "bad", returned: "bad", "left-out": "quiet", waiting: "quiet" };
const STEPS: readonly MemberStep[] = ["failed", "returned", "installing", "downloaded", "downloading", "offered", "waiting", "installed", "left-out"];

export function RolloutPage({ id, bundles }: { readonly id: string; readonly bundles: Asked<BundlesAnswer> }) {
  const t = useT();
  const fleet = useFleet();
  const of = useStore(language);
  const mine = (changed: { readonly rollouts: readonly string[] }) => changed.rollouts.includes(id);
  const asked = useLive(() => fleet.ask<RolloutDetail>(`/rollouts/${encodeURIComponent(id)}`), [id], mine);
  const { waiting, act } = useAct();
  const [open, setOpen] = useState<"stop" | "return" | "push" | "change" | null>(null);
  if (asked.value === undefined) {
    return asked.error === null ? <Skeleton /> : <Problem error={asked.error} again={asked.again} />;
  }
  const { row, plan, experience, codes } = asked.value;
  const may = (what: string) => row.may.includes(what);
  const post = async (what: string, body?: unknown) => {
    const given = await fleet.ask<RolloutRow>(`/rollouts/${encodeURIComponent(id)}/${what}`, { method: "POST", ...(body === undefined ? {} : { body }) });
    asked.again();
    return given;
  };
  const next = row.rings.findIndex((ring) => ring.started_at === null);
  const { transfer, gate } = plan;
  const primary = row.state === "draft" ? "submit" : row.state === "awaiting-approval" ? "approve" : "";
  return (
    <div class="rollout">
      <PageHead
        title={titleOf(t, row)}
        sub={
          <>
            <a href="/fleet/rollouts">{t("rollouts.back")}</a> · {kindWord(t, row.kind)} {row.version}
          </>
        }
      >
        {may("change") && (
          <button class="btn" onClick={() => setOpen("change")}>
            {t("rollouts.do.change")}
          </button>
        )}
        {may("retry") && (
          <button class="btn" disabled={waiting} onClick={() => act(() => post("retry", {}), t("rollouts.done.retry"))}>
            {t("rollouts.do.retry")}
          </button>
        )}
        {may("push") && next > 0 && (
          <button class="btn" onClick={() => setOpen("push")}>
            {t("rollouts.do.push")}
          </button>
        )}
        {DONE.filter(may).map((what) => (
          <button
            key={what}
            class={`btn ${what === primary ? "primary" : ""}`}
            disabled={waiting}
            data-testid={`do-${what}`}
            onClick={() => act(() => post(what), t(`rollouts.done.${what}`))}
          >
            {t(`rollouts.do.${what}`)}
          </button>
        ))}
        {may("return") && (
          <button class="btn" data-testid="do-return" onClick={() => setOpen("return")}>
            {t("rollouts.do.return")}
          </button>
        )}
        {may("stop") && (
          <button class="btn danger" data-testid="do-stop" onClick={() => setOpen("stop")}>
            {t("rollouts.do.stop")}
          </button>
        )}
      </PageHead>
      <p class="verdict" data-testid="rollout-state" data-state={row.state}>
        <Mark tone={TONES[row.state]}>{t(`rollouts.state.${row.state}`)}</Mark>
        {row.ended_at !== null && <Moment at={row.ended_at} />}
        {row.reason !== null && <span class="why" data-code={row.reason.code}>{told(of, row.reason)}</span>}
        {row.state === "awaiting-approval" && (
          <span class="why">
            {t("rollouts.awaits")} {may("approve") && t("rollouts.awaits.you")}
          </span>
        )}
        {row.returns !== null && (
          <a class="why" href={`/fleet/rollouts/${encodeURIComponent(row.returns)}`}>
            {t("rollouts.returns")}
          </a>
        )}
      </p>
      <div class="halves">
        <div class="stack">
          <Panel title={t("rollouts.rings")} testid="rings">
            <Rings row={row} plan={plan} />
          </Panel>
          <Experience fared={experience} gate={gate.experience} />
        </div>
        <div class="stack">
          <Panel>
            <Facts
              items={[
                [t("rollouts.bundle"), `${kindWord(t, row.kind)} ${row.version}`],
                [
                  t("rollouts.planned.by"),
                  <>
                    {row.planners.join(", ")} · <Moment at={row.planned_at} />
                  </>,
                ],
                [
                  t("rollouts.approved.by"),
                  row.returns !== null ? (
                    t("rollouts.approved.return")
                  ) : row.approved_at === null ? (
                    t("rollouts.approved.none")
                  ) : (
                    <>
                      {row.approved_by} · <Moment at={row.approved_at} />
                    </>
                  ),
                ],
                [
                  t("rollouts.window"),
                  transfer.from_minute === null || transfer.to_minute === null
                    ? t("rollouts.window.any")
                    : t("rollouts.window.text", { from: minuteWord(transfer.from_minute), to: minuteWord(transfer.to_minute) }),
                ],
                [
                  t("rollouts.cap"),
                  transfer.cap_bytes_per_s === null
                    ? t("rollouts.cap.none")
                    : t("rollouts.cap.value", { n: number(Math.round(transfer.cap_bytes_per_s / 1000)) }),
                ],
                [t("rollouts.atonce"), t("rollouts.atonce.value", { n: number(transfer.at_once) })],
                [
                  t("rollouts.gate"),
                  row.returns !== null
                    ? null
                    : t("rollouts.gate.text", {
                        advance: percent(gate.advance_share, of),
                        soak: span(t, gate.soak_s),
                        failed: percent(gate.failed_share, of),
                      }),
                ],
              ]}
            />
          </Panel>
          {codes.length > 0 && (
            <Panel title={t("rollouts.codes")} testid="codes">
              <ul class="codes">
                {codes.map(({ code, count }) => (
                  <li key={code}>
                    <b>{number(count)}</b> {codeWord(t, code)}
                  </li>
                ))}
              </ul>
            </Panel>
          )}
        </div>
      </div>
      {row.state !== "draft" && <Members id={id} row={row} />}
      {open === "stop" && (
        <Stop onDo={(why) => post("stop", { why })} onClose={() => setOpen(null)} />
      )}
      {open === "push" && (
        <Confirm title={t("rollouts.do.push")} verb={t("rollouts.do.push")} onDo={() => post("push", { ring: next })} onClose={() => setOpen(null)}>
          <p>{t("rollouts.push.text", { n: next + 1 })}</p>
        </Confirm>
      )}
      {open === "return" && (
        <Return
          row={row}
          bundles={bundles.value}
          onDo={async (bundle) => {
            const back = await post("return", { bundle });
            go(`/fleet/rollouts/${encodeURIComponent(back.id)}`);
          }}
          onClose={() => setOpen(null)}
        />
      )}
      {open === "change" && bundles.value !== undefined && (
        <PlanDialog
          bundles={bundles.value.bundles}
          changes={{ id, plan }}
          onDone={() => {
            asked.again();
            toast(t("ui.saved"));
          }}
          onClose={() => setOpen(null)}
        />
      )}
    </div>
  );
}

function Stop({ onDo, onClose }: { readonly onDo: (why: string) => Promise<unknown>; readonly onClose: () => void }) {
  const t = useT();
  const [why, setWhy] = useState("");
  return (
    <Confirm title={t("rollouts.do.stop")} verb={t("rollouts.do.stop")} danger onDo={() => onDo(why)} onClose={onClose} testid="stop">
      <p>{t("rollouts.stop.text")}</p>
      <Field label={t("rollouts.stop.why")} optional>
        <input class="input" data-first value={why} maxLength={300} onInput={(event) => setWhy(event.currentTarget.value)} />
      </Field>
    </Confirm>
  );
}

interface ReturnProps {
  readonly row: RolloutRow;
  readonly bundles: BundlesAnswer | undefined;
  readonly onDo: (bundle: string | null) => Promise<unknown>;
  readonly onClose: () => void;
}

function Return({ row, bundles, onDo, onClose }: ReturnProps) {
  const t = useT();
  const [bundle, setBundle] = useState("");
  const having = (["downloading", "downloaded", "installing", "installed"] as const).reduce((sum, step) => sum + total(row.rings, step), 0);
  const others = (bundles?.bundles ?? []).filter((one) => one.kind === row.kind && one.id !== row.bundle && one.may.includes("return"));
  return (
    <Confirm
      title={t("rollouts.do.return")}
      verb={t("rollouts.do.return")}
      danger
      onDo={() => onDo(bundle === "" ? null : bundle)}
      onClose={onClose}
      testid="return"
    >
      <p>{t("rollouts.return.text", { n: number(having) })}</p>
      <Field label={t("rollouts.return.bundle")}>
        <Select
          label={t("rollouts.return.bundle")}
          all={t("rollouts.return.auto")}
          value={bundle}
          options={others.map((one) => ({ value: one.id, label: one.version }))}
          onChange={setBundle}
          testid="return-bundle"
        />
      </Field>
    </Confirm>
  );
}

function Members({ id, row }: { readonly id: string; readonly row: RolloutRow }) {
  const t = useT();
  const fleet = useFleet();
  const [step, setStep] = useState("");
  const query = `limit=${MEMBERS}${step === "" ? "" : `&step=${step}`}`;
  const asked = useLive(() => fleet.ask<MembersPage>(`/rollouts/${encodeURIComponent(id)}/devices?${query}`), [id, step], (changed) =>
    changed.rollouts.includes(id),
  );
  const columns: readonly Column<MemberRow>[] = [
    {
      id: "name",
      head: t("rollouts.device"),
      width: "minmax(0, 2fr)",
      cell: (one) => <a href={`/fleet/devices/${encodeURIComponent(one.device)}`}>{one.name}</a>,
    },
    { id: "ring", head: t("rollouts.rings"), width: "90px", cell: (one) => t("rollouts.ring", { n: one.ring + 1 }) },
    {
      id: "step",
      head: t("rollouts.step"),
      width: "190px",
      cell: (one) => <Mark tone={STEP_TONES[one.step] ?? "info"}>{stepWord(t, one.step)}</Mark>,
    },
    {
      id: "detail",
      head: t("rollouts.detail"),
      width: "minmax(0, 3fr)",
      cell: (one) => (
        <span title={one.text}>
          {one.code !== "" && codeWord(t, one.code)} {one.attempt > 1 && <Tag>{`×${one.attempt}`}</Tag>}
        </span>
      ),
    },
    { id: "at", head: t("rollouts.at"), width: "120px", cell: (one) => (one.at === 0 ? "" : <Moment at={one.at} />) },
  ];
  const members = asked.value?.members ?? [];
  return (
    <Panel
      title={t("rollouts.devices")}
      class="members"
      testid="members"
      actions={
        <Select
          label={t("rollouts.step")}
          all={t("rollouts.devices.all")}
          value={step}
          options={STEPS.map((one) => ({ value: one, label: stepWord(t, one) }))}
          onChange={setStep}
        />
      }
    >
      {asked.error !== null && <Problem error={asked.error} again={asked.again} />}
      <div class="box" style={{ height: `${Math.min(10, Math.max(3, members.length)) * 40 + 44}px` }}>
        <Table
          label={t("rollouts.devices")}
          rows={members}
          columns={columns}
          keyOf={(one) => one.device}
          rowPx={40}
          onOpen={(one) => go(`/fleet/devices/${encodeURIComponent(one.device)}`)}
          asked={`${row.id} ${step}`}
          empty={<Empty title={t("ui.none")} />}
          testid="member-rows"
        />
      </div>
    </Panel>
  );
}

function stepWord(t: Translate, step: MemberStep): string {
  return t(`rollouts.step.${step === "left-out" ? "left_out" : step}`);
}
