/** How residents fare: each share before, after and elsewhere, with what is certain of the rise. */
import { language, number } from "../../shared/i18n";
import type { Effect, Experience as Fared, ExperienceCounts, ExperienceGate } from "../../shared/fleet-wire";
import { useT } from "../i18n";
import { Mark, Panel, useStore } from "../ui";
import { percent } from "./words";

type Measure = Effect["measure"];
const MEASURES: readonly Measure[] = ["abandoned", "scans-failed", "help-calls"];

/** Bad ones, and of how many; as the server counts. */
export function shareOf(counts: ExperienceCounts, measure: Measure): readonly [number, number] {
  switch (measure) {
    case "abandoned":
      return [Math.min(counts.abandoned, counts.begun), counts.begun];
    case "scans-failed":
      return [Math.min(counts.scans_failed, counts.scans), counts.scans];
    case "help-calls":
      return [Math.min(counts.help_calls, counts.begun), counts.begun];
  }
}

export function Experience({ fared, gate }: { readonly fared: Fared; readonly gate: ExperienceGate | null }) {
  const t = useT();
  const of = useStore(language);
  if (gate === null) return <Panel title={t("rollouts.experience")}>{<p class="aside">{t("rollouts.experience.off")}</p>}</Panel>;
  const cell = (counts: ExperienceCounts, measure: Measure) => {
    const [bad, all] = shareOf(counts, measure);
    if (all === 0) return <span class="aside">–</span>;
    return (
      <>
        <b>{percent(bad / all, of, 1)}</b>{" "}
        <span class="aside">
          {number(bad)}/{number(all)}
        </span>
      </>
    );
  };
  return (
    <Panel title={t("rollouts.experience")} testid="experience">
      <p class="aside">{t("rollouts.experience.sub")}</p>
      <table class="measures">
        <thead>
          <tr>
            <th scope="col">{t("rollouts.measure")}</th>
            <th scope="col">{t("rollouts.before")}</th>
            <th scope="col">{t("rollouts.after")}</th>
            <th scope="col">{t("rollouts.others")}</th>
            <th scope="col">{t("rollouts.verdict")}</th>
          </tr>
        </thead>
        <tbody>
          {MEASURES.map((measure) => {
            const effect = fared.effects.find((one) => one.measure === measure);
            return (
              <tr key={measure}>
                <th scope="row">{t(`rollouts.measure.${measure}`)}</th>
                <td>{cell(fared.before, measure)}</td>
                <td>{cell(fared.after, measure)}</td>
                <td>{cell(fared.others, measure)}</td>
                <td>
                  <Verdict effect={effect} />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {!fared.effects.some((effect) => effect.own !== null || effect.others !== null) && (
        <p class="aside">{t("rollouts.experience.none", { n: number(gate.least) })}</p>
      )}
    </Panel>
  );
}

function Verdict({ effect }: { readonly effect: Effect | undefined }) {
  const t = useT();
  const of = useStore(language);
  const compared = effect?.own ?? effect?.others ?? null;
  if (effect === undefined || compared === null) return <Mark tone="quiet">{t("rollouts.verdict.unknown")}</Mark>;
  if (effect.worse) return <Mark tone="bad">{t("rollouts.verdict.worse", { rise: percent(compared.rise_at_least, of, 1) })}</Mark>;
  return <Mark tone="ok">{t("rollouts.verdict.fine")}</Mark>;
}
