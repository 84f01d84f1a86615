/** The incidents board: what is open, the gravest first, what is over, and one incident by its own address. */
import type { Handler, IncidentRow, IncidentsAnswer, Severity } from "../../shared/fleet-wire";
import { language, number } from "../../shared/i18n";
import { told, useT } from "../i18n";
import { shortName } from "../place-words";
import { go, place, setQuery } from "../router";
import {
  Chips,
  Empty,
  FilterBar,
  Mark,
  Moment,
  PageHead,
  Problem,
  SearchBox,
  Select,
  Since,
  Skeleton,
  span,
  Table,
  Tabs,
  useFleet,
  useLive,
  useNow,
  usePlaces,
  useStore,
  type Column,
} from "../ui";
import { holderOf, matches } from "./filter";
import "./incidents.css";
import { devicesWords, nameOf, SEVERITIES, SeverityMark, StateTags, TONE } from "./marks";
import { IncidentPage } from "./one";

const ROW_PX = 64;
const CLOSED_PAGE = 200;

export function IncidentsPage() {
  const path = useStore(place, (now) => now.path);
  return path[1] === undefined ? <Board /> : <IncidentPage key={path[1]} id={path[1]} />;
}

function Board() {
  const t = useT();
  const fleet = useFleet();
  const query = useStore(place, (now) => now.query);
  const tab = query.get("tab") === "closed" ? "closed" : "open";
  const open = useLive(
    () => fleet.ask<IncidentsAnswer>("/incidents?limit=500"),
    [],
    (changed) => changed.incidents.length > 0,
  );
  return (
    <div class="incidents">
      <PageHead title={t("nav.incidents")} sub={t("incidents.sub")} />
      <Tabs
        label={t("nav.incidents")}
        tabs={[
          { id: "open", label: t("incidents.tab.open"), ...(open.value === undefined ? {} : { count: open.value.total }) },
          { id: "closed", label: t("incidents.tab.closed") },
        ]}
        current={tab}
        onChange={(id) => setQuery({ tab: id === "open" ? null : id })}
      />
      {tab === "open" ? <Open rows={open.value?.incidents} people={open.value?.people ?? []} error={open.error} again={open.again} /> : <Closed />}
    </div>
  );
}

interface OpenProps {
  readonly rows: readonly IncidentRow[] | undefined;
  readonly people: readonly Handler[];
  readonly error: unknown;
  readonly again: () => void;
}

function Open({ rows, people, error, again }: OpenProps) {
  const t = useT();
  const fleet = useFleet();
  const query = useStore(place, (now) => now.query);
  const places = usePlaces();
  const severities = new Set((query.get("severity") ?? "").split(",").filter((one) => one !== ""));
  const filter = {
    text: query.get("q") ?? "",
    district: query.get("district") ?? "",
    severities,
    whose: query.get("whose") ?? "",
    account: fleet.staff.account,
  };
  if (rows === undefined) return error === null ? <Skeleton /> : <Problem error={error} again={again} />;
  const shown = rows.filter((row) => matches(row, filter));
  const filtered = shown.length < rows.length;
  const toggle = (id: string) => {
    const next = new Set(severities);
    if (!next.delete(id)) next.add(id);
    setQuery({ severity: [...next].join(",") });
  };
  const districts = (places?.districts ?? []).filter(({ code }) => rows.some((row) => row.district === code));
  const columns: readonly Column<IncidentRow>[] = [
    { id: "severity", head: t("incidents.severity"), width: "140px", cell: (row) => <SeverityMark severity={row.severity} /> },
    {
      id: "what",
      head: t("incidents.what"),
      width: "minmax(0, 4fr)",
      cell: (row) => <What row={row} />,
    },
    { id: "since", head: t("incidents.since"), width: "104px", cell: (row) => <Since at={row.opened_at} /> },
    { id: "devices", head: t("incidents.devices"), width: "90px", numeric: true, cell: devicesWords },
    {
      id: "who",
      head: t("incidents.who"),
      width: "minmax(0, 1.4fr)",
      cell: (row) => (
        <span class="who">
          <StateTags row={row} />
          {holderOf(row) !== "" && <span>{nameOf(people, holderOf(row))}</span>}
        </span>
      ),
    },
  ];
  return (
    <>
      <FilterBar label={t("incidents.filter")}>
        <SearchBox id="incident-search" label={t("incidents.search")} value={filter.text} onInput={(q) => setQuery({ q })} />
        <Chips
          label={t("incidents.severity")}
          options={SEVERITIES.map((id) => ({
            id,
            label: t(`incidents.severity.${id}`),
            count: rows.filter(({ severity }) => severity === id).length,
          }))}
          chosen={severities}
          onToggle={toggle}
        />
        <Select
          label={t("incidents.district")}
          all={t("incidents.district.all")}
          value={filter.district}
          options={districts.map(({ code, name }) => ({ value: code, label: shortName(name) }))}
          onChange={(district) => setQuery({ district })}
          testid="district"
        />
        <Select
          label={t("incidents.who")}
          all={t("incidents.whose.all")}
          value={filter.whose}
          options={[
            { value: "nobody", label: t("incidents.whose.nobody") },
            { value: "mine", label: t("incidents.whose.mine") },
          ]}
          onChange={(whose) => setQuery({ whose })}
          testid="whose"
        />
        <span class="count" role="status">
          {filtered ? t("incidents.shown", { n: shown.length, all: rows.length }) : ""}
        </span>
      </FilterBar>
      {error !== null && <Problem error={error} again={again} />}
      <Table
        label={t("nav.incidents")}
        rows={shown}
        columns={columns}
        keyOf={(row) => row.id}
        rowPx={ROW_PX}
        onOpen={(row) => go(`/fleet/incidents/${encodeURIComponent(row.id)}`)}
        keep="incidents"
        asked={query.toString()}
        testid="board"
        empty={
          rows.length === 0 ? (
            <Empty title={t("incidents.none")}>
              <p>{t("incidents.none.text")}</p>
            </Empty>
          ) : (
            <Empty title={t("incidents.nomatch")}>
              <button class="btn" onClick={() => setQuery({ q: null, severity: null, district: null, whose: null })}>
                {t("ui.clear")}
              </button>
            </Empty>
          )
        }
      />
    </>
  );
}

function Closed() {
  const t = useT();
  const fleet = useFleet();
  const now = useNow();
  const asked = useLive(
    () => fleet.ask<IncidentsAnswer>(`/incidents/closed?limit=${CLOSED_PAGE}`),
    [],
    (changed) => changed.incidents.length > 0,
  );
  if (asked.value === undefined) return asked.error === null ? <Skeleton /> : <Problem error={asked.error} again={asked.again} />;
  const { incidents, people, total } = asked.value;
  const columns: readonly Column<IncidentRow>[] = [
    { id: "severity", head: t("incidents.severity"), width: "140px", cell: (row) => <Mark tone={quietly(row.severity)}>{t(`incidents.severity.${row.severity}`)}</Mark> },
    {
      id: "what",
      head: t("incidents.what"),
      width: "minmax(0, 3fr)",
      cell: (row) => <What row={row} />,
    },
    { id: "closed", head: t("incidents.closed.at"), width: "150px", cell: (row) => <Moment at={row.closed_at} /> },
    { id: "lasted", head: t("incidents.lasted"), width: "130px", cell: (row) => span(t, (row.closed_at ?? now) - row.opened_at) },
    {
      id: "how",
      head: t("incidents.how"),
      width: "minmax(0, 1.4fr)",
      cell: (row) => ((row.closed_by ?? "") === "" ? t("incidents.byitself") : t("incidents.by", { who: nameOf(people, row.closed_by ?? "") })),
    },
  ];
  return (
    <>
      {total > incidents.length && <p class="aside">{t("incidents.latest", { n: number(incidents.length), all: number(total) })}</p>}
      <Table
        label={t("incidents.tab.closed")}
        rows={incidents}
        columns={columns}
        keyOf={(row) => row.id}
        rowPx={ROW_PX}
        onOpen={(row) => go(`/fleet/incidents/${encodeURIComponent(row.id)}`)}
        testid="closed"
        empty={<Empty title={t("incidents.closed.none")} />}
      />
    </>
  );
}

function What({ row }: { readonly row: IncidentRow }) {
  const of = useStore(language);
  return (
    <span class={row.level === "device" ? "what" : "what both"}>
      <a href={`/fleet/incidents/${encodeURIComponent(row.id)}`} title={told(of, row.sentence)}>
        {told(of, row.sentence)}
      </a>
      {row.level === "device" && (
        <span class="aside" title={told(of, row.place)}>
          {told(of, row.place)}
        </span>
      )}
    </span>
  );
}

/** What is over asks for nothing any more. */
function quietly(severity: Severity) {
  return TONE[severity] === "bad" ? "warn" : "quiet";
}
