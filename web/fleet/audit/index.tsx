/** Who did what, at which device, from where, with what result; and whether it is what was written. */
import { useEffect, useState } from "preact/hooks";
import type { AuditActions, AuditAnswer, AuditEntry, AuditState } from "../../shared/fleet-wire";
import { language, number } from "../../shared/i18n";
import { TABLES, useT, type Key, type Translate } from "../i18n";
import { place, setQuery } from "../router";
import { Empty, FilterBar, Mark, Moment, PageHead, Panel, Problem, SearchBox, Select, Skeleton, Tag, useAct, useFleet, useLive, useNow, usePlaces, useStore } from "../ui";
import { momentWords } from "../ui/words";
import "./audit.css";
import { wantedBy } from "./wanted";

const PAGE = 100;
const MOMENTS: ReadonlySet<string> = new Set(["since", "until", "maintenance_until"]); // seconds, UTC

export function AuditPage() {
  const t = useT();
  const fleet = useFleet();
  const query = useStore(place, (now) => now.query);
  const wanted = wantedBy(query);
  const [pages, setPages] = useState(1);
  useEffect(() => setPages(1), [wanted]);
  const { value: actions } = useLive(() => fleet.ask<AuditActions>("/audit/actions"), []);
  const { value, error, again } = useLive(
    () => load((path) => fleet.ask<AuditAnswer>(path), wanted, pages),
    [wanted, pages],
    ({ audit }) => audit,
  );
  return (
    <div class="audit">
      <PageHead title={t("nav.audit")} sub={t("audit.sub")}>
        <a class="btn" href={`/api/fleet/audit/export?format=csv${wanted}`} download title={t("audit.export.note")} data-testid="export-csv">
          {t("audit.export.csv")}
        </a>
        <a class="btn" href={`/api/fleet/audit/export?format=json${wanted}`} download title={t("audit.export.note")} data-testid="export-json">
          {t("audit.export.json")}
        </a>
      </PageHead>
      <State />
      <FilterBar label={t("audit.filters")}>
        <Select
          label={t("audit.action")}
          all={t("audit.action.all")}
          value={query.get("action") ?? ""}
          options={(actions?.actions ?? []).map((one) => ({ value: one, label: deedWords(t, one) }))}
          onChange={(action) => setQuery({ action })}
          testid="filter-action"
        />
        <SearchBox id="audit-account" label={t("audit.account")} value={query.get("account") ?? ""} onInput={(account) => setQuery({ account })} />
        <SearchBox id="audit-device" label={t("audit.device")} value={query.get("device") ?? ""} onInput={(device) => setQuery({ device })} />
        <label class="day">
          {t("audit.since")}
          <input class="input" type="date" value={query.get("since") ?? ""} onInput={(event) => setQuery({ since: event.currentTarget.value })} />
        </label>
        <label class="day">
          {t("audit.until")}
          <input class="input" type="date" value={query.get("until") ?? ""} onInput={(event) => setQuery({ until: event.currentTarget.value })} />
        </label>
        <button
          class="btn quiet"
          disabled={wanted === ""}
          onClick={() => setQuery({ account: null, action: null, device: null, since: null, until: null })}
        >
          {t("ui.clear")}
        </button>
      </FilterBar>
      {value === undefined ? (
        error === null ? (
          <Skeleton rows={10} />
        ) : (
          <Problem error={error} again={again} />
        )
      ) : value.entries.length === 0 ? (
        <Empty title={t("audit.none")} />
      ) : (
        <Entries entries={value.entries} />
      )}
      {value?.more === true && (
        <button class="btn small more" onClick={() => setPages(pages + 1)}>
          {t("audit.more")}
        </button>
      )}
    </div>
  );
}

function State() {
  const t = useT();
  const of = useStore(language);
  const now = useNow();
  const fleet = useFleet();
  const { waiting, act } = useAct();
  const { value, error, again } = useLive(
    () => fleet.ask<AuditState>("/audit/state"),
    [],
    ({ audit }) => audit,
  );
  if (value === undefined) return error === null ? null : <Problem error={error} again={again} />;
  return (
    <Panel class="chain" testid="audit-state">
      <p>
        {value.fault_seq !== null ? (
          <Mark tone="bad">{t("audit.bad", { n: value.fault_seq })}</Mark>
        ) : value.verified_at === null ? (
          <Mark tone="quiet">{t("audit.checking")}</Mark>
        ) : (
          <Mark tone="ok">{t("audit.good", { n: value.verified_to })}</Mark>
        )}
        {value.verified_at !== null && <span class="aside">{t("audit.checked", { time: momentWords(of, value.verified_at, now) })}</span>}
        <button class="btn small" disabled={waiting} data-testid="verify" onClick={() => act(() => fleet.ask("/audit/verify", { method: "POST" }).then(again))}>
          {t("audit.verify")}
        </button>
      </p>
      <p class="head" title={t("audit.head.note")}>
        <span class="aside">{t("audit.head")}</span> <code>{value.head}</code>
        <button
          class="btn small quiet"
          onClick={() => act(() => navigator.clipboard.writeText(value.head), t("audit.copied"))}
        >
          {t("audit.copy")}
        </button>
      </p>
    </Panel>
  );
}

function Entries({ entries }: { readonly entries: readonly AuditEntry[] }) {
  const t = useT();
  return (
    <table data-testid="audit">
      <thead>
        <tr>
          {(["seq", "at", "account", "action", "device", "address", "result", "values"] as const).map((one) => (
            <th key={one} class={`is-${one}`}>
              {t(`audit.col.${one}`)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => (
          <tr key={entry.seq} data-seq={entry.seq} data-action={entry.action}>
            <td class="is-seq" title={entry.hash}>
              {entry.seq}
            </td>
            <td class="is-at">
              <Moment at={entry.at} />
            </td>
            <td class="is-account">{entry.account === "" ? <span class="aside">{t("audit.server")}</span> : entry.account}</td>
            <td class="is-action">{deedWords(t, entry.action)}</td>
            <td class="is-device">
              {entry.device !== null && (
                <a href={`/fleet/devices/${encodeURIComponent(entry.device)}`}>{entry.device_name === "" ? entry.device : entry.device_name}</a>
              )}
            </td>
            <td class="is-address">{entry.address}</td>
            <td class="is-result">{entry.result === "done" ? t("audit.done") : <Tag tone="warn" title={entry.result}>{word(t, "result", entry.result)}</Tag>}</td>
            <td class="is-values">
              <Values values={entry.values} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const deedWords = (t: Translate, action: string): string => word(t, "deed", action);

/** What has no word here is shown as it is kept. */
function word(t: Translate, kind: string, name: string): string {
  const key = `${kind}.${name}`;
  return Object.hasOwn(TABLES.vi, key) ? (t as (key: Key) => string)(key as Key) : name;
}

/** What belongs to the deed; what is empty says nothing. */
function Values({ values }: { readonly values: AuditEntry["values"] }) {
  const t = useT();
  const of = useStore(language);
  const now = useNow();
  const places = usePlaces();
  const said = (name: string, value: string | number | boolean): string => {
    if (typeof value === "boolean") return t(value ? "ui.yes" : "ui.no");
    if (typeof value === "number") return MOMENTS.has(name) ? momentWords(of, value, now) : number(value);
    if (name.startsWith("districts")) return value.split(" ").map((code) => places?.district.get(code)?.name ?? code).join(", ");
    if (name.startsWith("unit")) return places?.unit.get(value)?.name ?? value;
    if (name.startsWith("role")) return word(t, "role.fleet", value);
    if (name === "state") return word(t, Object.hasOwn(values, "rollout") ? "rollouts.state" : "command", value);
    if (name === "action") return deedWords(t, value);
    if (name === "act") return word(t, "act", value);
    if (name === "by" && value === "command line") return t("audit.by.line");
    return value;
  };
  return (
    <>
      {Object.entries(values).map(([name, value]) =>
        value === null || value === "" ? null : (
          <span key={name}>
            {word(t, "value", name)}: <strong>{said(name, value)}</strong>
          </span>
        ),
      )}
    </>
  );
}

async function load(
  ask: (path: string) => Promise<AuditAnswer>,
  wanted: string,
  pages: number,
): Promise<{ readonly entries: readonly AuditEntry[]; readonly more: boolean }> {
  const entries: AuditEntry[] = [];
  let before: number | null = null;
  for (let page = 0; page < pages; page += 1) {
    const answer: AuditAnswer = await ask(`/audit?limit=${PAGE}${wanted}${before === null ? "" : `&before=${before}`}`);
    entries.push(...answer.entries);
    before = answer.before;
    if (before === null) break;
  }
  return { entries, more: before !== null };
}
