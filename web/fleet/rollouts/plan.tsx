/** The dialogue that plans a rollout: bundle, rings with how many devices each has, conditions, downloads. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { number } from "../../shared/i18n";
import { codeOf } from "../../shared/problem";
import type { BundleRow, DeviceKind, RingsPreview, RolloutPlan, RolloutRow } from "../../shared/fleet-wire";
import { refusal, useT } from "../i18n";
import { Chips, Confirm, Field, Select, useFleet, usePlaces } from "../ui";
import { draftOf, fresh, planOf, type Draft, type RingDraft } from "./draft";
import { kindWord } from "./words";

const PREVIEW_AFTER_MS = 250;
const MOST_RINGS = 9;
const KINDS: readonly DeviceKind[] = ["kiosk", "bridge-point"];

interface Props {
  readonly bundles: readonly BundleRow[];
  /** The bundle to begin with, or the draft that is changed. */
  readonly bundle?: string;
  readonly changes?: { readonly id: string; readonly plan: RolloutPlan };
  readonly onDone: (row: RolloutRow) => void;
  readonly onClose: () => void;
}

export function PlanDialog({ bundles, bundle = "", changes, onDone, onClose }: Props) {
  const t = useT();
  const fleet = useFleet();
  const signed = bundles.filter((one) => one.signed);
  const first = bundle !== "" ? bundle : (signed[0]?.id ?? "");
  const [draft, setDraft] = useState<Draft>(() => (changes === undefined ? fresh(first) : draftOf(changes.plan)));
  const change = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }));
  const plan = useMemo(() => planOf(draft), [draft]);
  const preview = usePreview(plan);

  const ring = (index: number, part: Partial<RingDraft>) =>
    change({ rings: draft.rings.map((one, i) => (i === index ? { ...one, ...part } : one)) });
  const save = async () => {
    if (plan === null) return;
    const asked = { method: changes === undefined ? "POST" : "PUT", body: plan } as const;
    onDone(await fleet.ask<RolloutRow>(changes === undefined ? "/rollouts" : `/rollouts/${changes.id}`, asked));
  };
  const count = (index: number) => {
    const devices = preview.value?.rings[index];
    return <span class="count">{devices === undefined ? "…" : t("rollouts.plan.preview", { n: number(devices) })}</span>;
  };
  return (
    <Confirm
      title={t(changes === undefined ? "rollouts.plan.title" : "rollouts.plan.change")}
      verb={t("rollouts.plan.save")}
      disabled={plan === null || preview.error !== null}
      onDo={save}
      onClose={onClose}
      wide
      testid="plan"
    >
      <div class="rollout-plan">
        {signed.length === 0 && <p class="notice bad">{t("rollouts.plan.nobundle")}</p>}
        <div class="columns">
          <Field label={t("rollouts.plan.bundle")}>
            <Select
              label={t("rollouts.plan.bundle")}
              value={draft.bundle}
              options={signed.map((one) => ({ value: one.id, label: `${kindWord(t, one.kind)} ${one.version}` }))}
              onChange={(value) => change({ bundle: value })}
              testid="plan-bundle"
            />
          </Field>
          <Field label={t("rollouts.plan.name")} hint={t("rollouts.plan.name.hint")} optional>
            <input
              class="input"
              value={draft.title}
              maxLength={100}
              data-testid="plan-title"
              onInput={(event) => change({ title: event.currentTarget.value })}
            />
          </Field>
        </div>
        <Chips
          label={t("rollouts.plan.kinds")}
          options={KINDS.map((kind) => ({ id: kind, label: t(`kind.${kind}`) }))}
          chosen={new Set(draft.kinds)}
          onToggle={(id) => {
            const kinds = KINDS.filter((kind) => (kind === id) !== draft.kinds.includes(kind));
            if (kinds.length > 0) change({ kinds });
          }}
        />
        <fieldset>
          <legend>{t("rollouts.plan.rings")}</legend>
          <p class="hint">{t("rollouts.plan.rings.hint")}</p>
          <ol class="ring-rows">
            {draft.rings.map((one, index) => (
              <li key={index}>
                <strong>{t("rollouts.ring", { n: index + 1 })}</strong>
                <Select
                  label={`${t("rollouts.ring", { n: index + 1 })}`}
                  value={one.way}
                  options={[
                    { value: "share", label: t("rollouts.plan.way.share") },
                    { value: "districts", label: t("rollouts.plan.way.districts") },
                  ]}
                  onChange={(way) => ring(index, { way: way as RingDraft["way"] })}
                />
                {one.way === "share" ? (
                  <Num
                    label={t("rollouts.plan.way.share")}
                    value={one.percent}
                    least={0.1}
                    most={100}
                    step="any"
                    onInput={(percent) => ring(index, { percent })}
                    unit="%"
                  />
                ) : (
                  <Districts chosen={one.districts} onChange={(districts) => ring(index, { districts })} />
                )}
                {count(index)}
                <button
                  type="button"
                  class="btn quiet small"
                  aria-label={t("rollouts.plan.remove", { n: index + 1 })}
                  onClick={() => change({ rings: draft.rings.filter((_, i) => i !== index) })}
                >
                  ✕
                </button>
              </li>
            ))}
            <li>
              <strong>{t("rollouts.ring", { n: draft.rings.length + 1 })}</strong>
              <span class="rest">{t("rollouts.plan.rest")}</span>
              {count(draft.rings.length)}
            </li>
          </ol>
          {draft.rings.length < MOST_RINGS && (
            <button
              type="button"
              class="btn small"
              onClick={() => change({ rings: [...draft.rings, { way: "share", percent: 50, districts: [] }] })}
            >
              {t("rollouts.plan.add")}
            </button>
          )}
          {(preview.value?.left_out ?? 0) > 0 && (
            <p class="hint">{t("rollouts.plan.leftout", { n: number(preview.value?.left_out ?? 0) })}</p>
          )}
          {preview.error !== null && (
            <p class="notice bad" role="alert">
              {refusal(t, codeOf(preview.error))}
            </p>
          )}
        </fieldset>
        <fieldset>
          <legend>{t("rollouts.gate")}</legend>
          <div class="columns four">
            <Field label={t("rollouts.plan.advance")}>
              <Num label={t("rollouts.plan.advance")} value={draft.advance} least={1} most={100} onInput={(advance) => change({ advance })} />
            </Field>
            <Field label={t("rollouts.plan.soak")}>
              <Num label={t("rollouts.plan.soak")} value={draft.soak} least={0} most={43_200} onInput={(soak) => change({ soak })} testid="plan-soak" />
            </Field>
            <Field label={t("rollouts.plan.failed")}>
              <Num label={t("rollouts.plan.failed")} value={draft.failed} least={0} most={100} onInput={(failed) => change({ failed })} />
            </Field>
            <Field label={t("rollouts.plan.least")}>
              <Num label={t("rollouts.plan.least")} value={draft.least} least={1} most={10_000} onInput={(least) => change({ least })} />
            </Field>
          </div>
          <div class="columns">
            <label class="check">
              <input type="checkbox" checked={draft.experience} onChange={(event) => change({ experience: event.currentTarget.checked })} />
              <span>{t("rollouts.plan.experience")}</span>
            </label>
            {draft.experience && (
              <Field label={t("rollouts.plan.rise")}>
                <Num label={t("rollouts.plan.rise")} value={draft.rise} least={0} most={100} onInput={(rise) => change({ rise })} />
              </Field>
            )}
          </div>
        </fieldset>
        <fieldset>
          <legend>{t("rollouts.window")}</legend>
          <div class="columns">
            <label class="check">
              <input type="checkbox" checked={draft.windowed} onChange={(event) => change({ windowed: event.currentTarget.checked })} />
              <span>{t("rollouts.plan.window")}</span>
            </label>
            {draft.windowed && (
              <div class="times">
                <input
                  class="input"
                  type="time"
                  aria-label={t("rollouts.plan.from")}
                  value={draft.from}
                  onInput={(event) => change({ from: event.currentTarget.value })}
                />
                <span>–</span>
                <input
                  class="input"
                  type="time"
                  aria-label={t("rollouts.plan.to")}
                  value={draft.to}
                  onInput={(event) => change({ to: event.currentTarget.value })}
                />
              </div>
            )}
            <Field label={t("rollouts.plan.cap")} optional>
              <input
                class="input"
                type="number"
                min={2}
                max={1_000_000}
                value={draft.cap ?? ""}
                onInput={(event) => change({ cap: event.currentTarget.value === "" ? null : event.currentTarget.valueAsNumber })}
              />
            </Field>
            <Field label={t("rollouts.plan.atonce")}>
              <Num label={t("rollouts.plan.atonce")} value={draft.at_once} least={1} most={1000} onInput={(at_once) => change({ at_once })} />
            </Field>
          </div>
        </fieldset>
      </div>
    </Confirm>
  );
}

interface NumProps {
  readonly label: string;
  readonly value: number;
  readonly least: number;
  readonly most: number;
  readonly step?: string;
  readonly unit?: string;
  readonly onInput: (value: number) => void;
  readonly testid?: string;
}

function Num({ label, value, least, most, step = "1", unit, onInput, testid }: NumProps) {
  return (
    <span class="num">
      <input
        class="input"
        type="number"
        aria-label={label}
        min={least}
        max={most}
        step={step}
        required
        value={Number.isNaN(value) ? "" : value}
        data-testid={testid}
        onInput={(event) => onInput(event.currentTarget.valueAsNumber)}
      />
      {unit !== undefined && <span>{unit}</span>}
    </span>
  );
}

/** Several districts: choosing adds one, its chip takes it away. */
function Districts({ chosen, onChange }: { readonly chosen: readonly string[]; readonly onChange: (codes: readonly string[]) => void }) {
  const t = useT();
  const places = usePlaces();
  const left = (places?.districts ?? []).filter(({ code }) => !chosen.includes(code));
  return (
    <span class="districts">
      {chosen.map((code) => (
        <button key={code} type="button" class="chip" aria-pressed="true" onClick={() => onChange(chosen.filter((one) => one !== code))}>
          {places?.district.get(code)?.name ?? code} ✕
        </button>
      ))}
      <Select
        label={t("rollouts.plan.way.districts")}
        all={t("rollouts.plan.way.districts")}
        value=""
        options={left.map(({ code, name }) => ({ value: code, label: name }))}
        onChange={(code) => code !== "" && onChange([...chosen, code])}
      />
    </span>
  );
}

interface Previewed {
  readonly value: RingsPreview | null;
  readonly error: unknown;
}

/** Asked a moment after the last change; an older answer never replaces a newer one. */
function usePreview(plan: RolloutPlan | null): Previewed {
  const fleet = useFleet();
  const [answer, setAnswer] = useState<Previewed>({ value: null, error: null });
  const said = plan === null ? null : JSON.stringify([plan.bundle, plan.rings, plan.kinds]);
  useEffect(() => {
    if (plan === null) return undefined;
    let over = false;
    const timer = setTimeout(() => {
      fleet.ask<RingsPreview>("/rollout-preview", { method: "POST", body: plan }).then(
        (value) => !over && setAnswer({ value, error: null }),
        (error: unknown) => !over && setAnswer({ value: null, error }),
      );
    }, PREVIEW_AFTER_MS);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [fleet, said]);
  return answer;
}
