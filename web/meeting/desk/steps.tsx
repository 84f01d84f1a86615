/** How many bridge points receive less than everything, and on which step of the ladder each stands. */
import { useEffect, useRef, useState } from "preact/hooks";
import { number, useT } from "../../shared/i18n";
import { StepMark } from "../../shared/step-mark";
import { countSteps, isReduced, STEPS, type Step } from "../../shared/steps";
import { useStore } from "../../shared/store";
import type { Room } from "../room";

interface Props {
  readonly room: Room;
  readonly chosen: Step | null;
  readonly onChoose: (step: Step | null) => void;
}

export function StepCounts({ room, chosen, onChoose }: Props) {
  const t = useT();
  const rows = useStore(room.state, (state) => state.rows);
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const counts = countSteps(rows.values());
  const reduced = STEPS.filter(isReduced).reduce((sum, step) => sum + (counts.get(step) ?? 0), 0);
  useEffect(() => {
    if (!open) return undefined;
    const away = (event: PointerEvent) => box.current?.contains(event.target as Node) === false && setOpen(false);
    addEventListener("pointerdown", away);
    return () => removeEventListener("pointerdown", away);
  }, [open]);
  const choose = (step: Step | null) => {
    setOpen(false);
    onChoose(step);
  };
  return (
    <div
      class="steps"
      ref={box}
      onKeyDown={(event) => {
        if (!open || event.key !== "Escape") return;
        event.stopPropagation();
        setOpen(false);
      }}
    >
      <button
        class="btn small"
        aria-expanded={open}
        aria-pressed={chosen !== null}
        aria-label={t("step.counts.short", { n: reduced })}
        title={t("step.counts.short", { n: reduced })}
        data-testid="steps"
        data-weak={String(reduced > 0)}
        onClick={() => setOpen(!open)}
      >
        <StepMark step={chosen ?? "quarter"} />
        <span class="word">{t("step.counts.word")}</span>
        <strong>{number(reduced)}</strong>
      </button>
      {open && (
        <div class="menu" role="menu" data-testid="steps-menu">
          <p>{t("step.counts")}</p>
          {STEPS.map((step) => (
            <button
              key={step}
              role="menuitemradio"
              aria-checked={step === chosen}
              data-step={step}
              onClick={() => choose(step === chosen ? null : step)}
            >
              <StepMark step={step} />
              <span>{t(`step.${step}`)}</span>
              <strong>{number(counts.get(step) ?? 0)}</strong>
            </button>
          ))}
          {chosen !== null && (
            <button role="menuitem" onClick={() => choose(null)}>
              {t("step.counts.all")}
            </button>
          )}
        </div>
      )}
    </div>
  );
}
