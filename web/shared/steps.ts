/** The ladder of a weak line: what a site still receives, why, and how that is said. Pure. */
import { clock, type Translate } from "./i18n";
import type { Line, SiteRow } from "./wire";

export type Step = Line["step"];

/** From everything to the least. */
export const STEPS: readonly Step[] = ["full", "half", "quarter", "fewer-frames", "still", "audio-only"];

/** Less than everything. */
export function isReduced(step: Step | null | undefined): step is Exclude<Step, "full"> {
  return step != null && step !== "full";
}

/** How many of the sites that are here stand on each step. */
export function countSteps(rows: Iterable<SiteRow>): ReadonlyMap<Step, number> {
  const counts = new Map<Step, number>(STEPS.map((step) => [step, 0]));
  for (const { state, step } of rows) {
    if (state === "present" && step !== null) counts.set(step, (counts.get(step) ?? 0) + 1);
  }
  return counts;
}

/** "Đường truyền yếu: chỉ còn tiếng vì mất gói, từ 14:05"; null while there is no media. */
export function stepSentence(t: Translate, { state, step, reason, step_at }: SiteRow): string | null {
  if (state !== "present" || step === null || step_at === null) return null;
  const time = clock(step_at);
  if (step === "full") return t("step.sentence.full", { time });
  const what = t(`step.what.${step}`);
  if (reason === null || reason === "room") return t("step.sentence.room", { what, time });
  return t("step.sentence", { what, why: t(`step.why.${reason}`), time });
}

/** How good a line is said to be: one that carries less than everything is not called good. */
export function gradeOf(line: Pick<Line, "grade" | "step"> | null): Line["grade"] | "none" {
  if (line === null) return "none";
  if (line.step === "audio-only" || line.step === "still") return "bad";
  return isReduced(line.step) && line.grade === "good" ? "weak" : line.grade;
}

/** What a bridge point is told on its own screen; null when it gets everything. */
export function ownSentence(t: Translate, line: Line | null): string | null {
  return line !== null && isReduced(line.step) ? t(`own.step.${line.step}`) : null;
}
