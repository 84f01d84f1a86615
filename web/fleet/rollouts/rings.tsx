/** Rings as bars: how many devices are at each step, with numbers beside them. */
import { language, number } from "../../shared/i18n";
import type { RingRow, RolloutPlan, RolloutRow } from "../../shared/fleet-wire";
import { useT } from "../i18n";
import { Moment, span, useStore } from "../ui";
import { due, percent, STEPS, timeWord, total } from "./words";

export function Bar({ rings, label }: { readonly rings: readonly RingRow[]; readonly label: string }) {
  const t = useT();
  const size = rings.reduce((sum, ring) => sum + ring.size, 0);
  const parts = STEPS.map((step) => ({ step, count: total(rings, step) })).filter(({ count }) => count > 0);
  const words = parts.map(({ step, count }) => `${t(`rollouts.step.${step}`)}: ${number(count)}`).join(", ");
  return (
    <span class="bar" role="img" aria-label={`${label}: ${words === "" ? t("ui.none") : words}`} title={words}>
      {parts.map(({ step, count }) => (
        <span key={step} class={`part step-${step}`} style={{ flexGrow: count / Math.max(1, size) }} />
      ))}
    </span>
  );
}

export function Rings({ row, plan }: { readonly row: RolloutRow; readonly plan: RolloutPlan }) {
  const t = useT();
  const of = useStore(language);
  return (
    <ol class="rings">
      {row.rings.map((ring, index) => {
        const last = index === row.rings.length - 1;
        const name = ring.name === "" ? t("rollouts.ring", { n: index + 1 }) : `${t("rollouts.ring", { n: index + 1 })} · ${ring.name}`;
        return (
          <li key={index} data-ring={index} data-started={ring.started_at !== null}>
            <div class="line">
              <strong>{name}</strong>
              <span class="aside">{t("rollouts.ring.devices", { n: number(due(ring)) })}</span>
              <span class="grow" />
              {ring.started_at === null ? (
                <span class="aside">{t("rollouts.ring.notyet")}</span>
              ) : (
                <span class="aside">
                  {t("rollouts.ring.started")} <Moment at={ring.started_at} />
                </span>
              )}
            </div>
            <Bar rings={[ring]} label={name} />
            <ul class="legend">
              {STEPS.filter((step) => ring.counts[step] > 0).map((step) => (
                <li key={step} class={`step-${step}`} data-step={step}>
                  <i aria-hidden="true" />
                  <b>{number(ring.counts[step])}</b> {t(`rollouts.step.${step}`)}
                </li>
              ))}
            </ul>
            {ring.soak_ends_at !== null && (
              <p class="aside">
                {t(last ? "rollouts.ring.finish" : "rollouts.ring.soak", { time: timeWord(ring.soak_ends_at) })}
              </p>
            )}
            {row.state === "running" && !last && ring.started_at !== null && ring.reached_at === null && (
              <p class="aside">
                {t("rollouts.ring.waits", {
                  share: percent(plan.gate.advance_share, of),
                  soak: span(t, plan.gate.soak_s),
                })}
              </p>
            )}
          </li>
        );
      })}
    </ol>
  );
}
