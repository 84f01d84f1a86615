/** Acts for many devices: how far each is, in numbers. */
import type { BulkRow, BulksAnswer, CommandState } from "../../shared/fleet-wire";
import { number } from "../../shared/i18n";
import { useT } from "../i18n";
import { setQuery } from "../router";
import { Empty, Mark, Moment, Panel, Problem, Skeleton, Tag, useFleet, useLive } from "../ui";
import { Decide } from "./decide";
import { CommandList } from "./list";
import { actWords, isOpen, TONES } from "./words";

const ORDER: readonly CommandState[] = [
  "succeeded",
  "running",
  "delivered",
  "sent",
  "pending",
  "awaiting-approval",
  "failed",
  "expired",
  "cancelled",
];

export function Bulks() {
  const t = useT();
  const fleet = useFleet();
  const { value, error, again } = useLive(
    () => fleet.ask<BulksAnswer>("/bulks"),
    [],
    ({ commands }) => commands.length > 0,
  );
  if (value === undefined) return error === null ? <Skeleton rows={4} /> : <Problem error={error} again={again} />;
  if (value.bulks.length === 0) return <Empty title={t("commands.none.bulks")} />;
  return (
    <div class="bulks" data-testid="bulks">
      {value.bulks.map((bulk) => (
        <BulkCard key={bulk.id} bulk={bulk} again={again}>
          <button class="btn small" onClick={() => setQuery({ bulk: bulk.id })}>
            {t("bulk.show")}
          </button>
        </BulkCard>
      ))}
    </div>
  );
}

export function OneBulk({ id }: { readonly id: string }) {
  const t = useT();
  const fleet = useFleet();
  const { value, error, again } = useLive(
    () => fleet.ask<BulkRow>(`/bulks/${encodeURIComponent(id)}`),
    [id],
    ({ commands }) => commands.length > 0,
  );
  return (
    <div class="bulks">
      <button class="btn small quiet back" onClick={() => setQuery({ bulk: null })}>
        ‹ {t("bulk.all")}
      </button>
      {value !== undefined ? <BulkCard bulk={value} again={again} /> : error !== null ? <Problem error={error} again={again} /> : <Skeleton rows={2} />}
      <CommandList path={`/commands?bulk=${encodeURIComponent(id)}`} none={t("commands.none.past")} testid="bulk-commands" />
    </div>
  );
}

interface CardProps {
  readonly bulk: BulkRow;
  readonly again: () => void;
  readonly children?: preact.ComponentChildren;
}

function BulkCard({ bulk, again, children }: CardProps) {
  const t = useT();
  const count = (state: CommandState) => bulk.counts[state] ?? 0;
  const done = ORDER.filter((state) => !isOpen(state)).reduce((sum, state) => sum + count(state), 0);
  return (
    <Panel
      class="bulk"
      testid="bulk-card"
      title={
        <>
          {actWords(t, bulk.do)} · {t("bulk.of", { n: bulk.many })}
        </>
      }
      actions={
        <span class="deeds">
          {children}
          <Decide command={bulk} again={again} small />
        </span>
      }
    >
      <p class="aside">
        {bulk.by_name} · <Moment at={bulk.created_at} /> · {bulk.why}
        {bulk.refused > 0 && (
          <>
            {" "}
            <Tag tone="warn">{t("bulk.left_out", { n: bulk.refused })}</Tag>
          </>
        )}
      </p>
      <div class="bar" role="img" aria-label={t("bulk.progress", { done, all: bulk.many })}>
        {ORDER.filter((state) => count(state) > 0).map((state) => (
          <span key={state} class={`tone-${TONES[state]} is-${isOpen(state) ? "open" : "ended"}`} style={{ flexGrow: count(state) }} />
        ))}
      </div>
      <p class="counts">
        <strong data-testid="bulk-progress">{t("bulk.progress", { done, all: bulk.many })}</strong>
        {ORDER.filter((state) => count(state) > 0).map((state) => (
          <Mark key={state} tone={TONES[state]}>
            {t(`command.${state}`)} {number(count(state))}
          </Mark>
        ))}
      </p>
    </Panel>
  );
}
