/** How an incident is, in marks and words. */
import type { Handler, IncidentRow, Severity } from "../../shared/fleet-wire";
import { useT } from "../i18n";
import { Mark, Tag, type Tone } from "../ui";

export const SEVERITIES: readonly Severity[] = ["critical", "major", "minor"];

export const TONE: Readonly<Record<Severity, Tone>> = { critical: "bad", major: "warn", minor: "info" };

export function SeverityMark({ severity }: { readonly severity: Severity }) {
  const t = useT();
  return <Mark tone={TONE[severity]}>{t(`incidents.severity.${severity}`)}</Mark>;
}

/** Acknowledged, watched, flapping … as far as it is worth a word. */
export function StateTags({ row }: { readonly row: IncidentRow }) {
  const t = useT();
  const open = row.state === "open" || row.state === "acknowledged";
  return (
    <>
      {row.flapping === true && <Tag tone="warn">{t("incidents.flapping")}</Tag>}
      {row.state === "open" && row.ill > 0 && <Tag tone="bad">{t("incidents.state.open")}</Tag>}
      {row.state === "acknowledged" && row.ill > 0 && <Tag tone="info">{t("incidents.state.acknowledged")}</Tag>}
      {open && row.ill === 0 && <Tag tone="ok">{t("incidents.watched")}</Tag>}
      {row.state === "folded" && <Tag>{t("incidents.state.folded")}</Tag>}
      {row.state === "closed" && <Tag>{t("incidents.state.closed")}</Tag>}
      {open && (row.escalated ?? 0) > 0 && row.state === "open" && <Tag tone="warn">{t("incidents.escalated")}</Tag>}
    </>
  );
}

/** What people call an account. */
export function nameOf(people: readonly Handler[], account: string): string {
  return people.find((one) => one.account === account)?.name ?? account;
}

/** "4/4": not well, of those that should work there; one device needs no number. */
export function devicesWords(row: IncidentRow): string {
  const all = Math.max(row.present, row.affected);
  return row.level === "device" ? "1" : `${row.ill}/${all}`;
}
