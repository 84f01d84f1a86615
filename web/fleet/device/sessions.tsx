/** How residents were served, as counts by day: nothing is known of anybody. */
import { useMemo } from "preact/hooks";
import type { SessionsAnswer } from "../../shared/fleet-wire";
import { day as dayWords, language, number } from "../../shared/i18n";
import { useT } from "../i18n";
import { Empty, Problem, Skeleton, useFleet, useLive, useStore } from "../ui";
import { byDay, COUNTED, counted, sum, type Counts } from "./session-days";

export function Sessions({ id }: { readonly id: string }) {
  const t = useT();
  const of = useStore(language);
  const fleet = useFleet();
  const { value, error, again } = useLive(() => fleet.ask<SessionsAnswer>(`/devices/${encodeURIComponent(id)}/sessions`), [id]);
  const days = useMemo(() => byDay((value?.hours ?? []).map(counted)), [value]);
  if (value === undefined) return error === null ? <Skeleton /> : <Problem error={error} again={again} />;
  if (days.length === 0) {
    return (
      <Empty title={t("sessions.none")}>
        <p>{t("sessions.note")}</p>
      </Empty>
    );
  }
  const most = Math.max(...days.map(({ counts }) => counts.begun));
  const all = sum(value.hours.map(counted));
  return (
    <div class="card sessions">
      <p class="aside">{t("sessions.note")}</p>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("sessions.day")}</th>
            <th aria-hidden="true" />
            {COUNTED.map((one) => (
              <th key={one} scope="col">
                {t(`sessions.${one}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {days.map(({ at, counts }) => (
            <tr key={at}>
              <th scope="row">{dayWords(at, of)}</th>
              <td aria-hidden="true">
                <Bar counts={counts} most={most} />
              </td>
              {COUNTED.map((one) => (
                <td key={one}>{number(counts[one], of)}</td>
              ))}
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">{t("sessions.total")}</th>
            <td />
            {COUNTED.map((one) => (
              <td key={one}>{number(all[one], of)}</td>
            ))}
          </tr>
        </tfoot>
      </table>
    </div>
  );
}

/** Finished, then abandoned, of the day with most. */
function Bar({ counts, most }: { readonly counts: Counts; readonly most: number }) {
  const wide = (n: number) => (most === 0 ? 0 : (n / most) * 100);
  return (
    <svg viewBox="0 0 100 10" preserveAspectRatio="none">
      <rect class="begun" width={wide(counts.begun)} height="10" />
      <rect class="finished" width={wide(counts.finished)} height="10" />
    </svg>
  );
}
