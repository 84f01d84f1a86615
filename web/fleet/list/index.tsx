/** Every device, the worst first: what is wrong, in a sentence, and since when. */
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { language, number } from "../../shared/i18n";
import type { DeviceKind, DeviceRow, Status } from "../../shared/fleet-wire";
import { BulkCommands } from "../commands";
import { told, useT } from "../i18n";
import { whereWords } from "../place-words";
import { go, place } from "../router";
import {
  Ago,
  Chips,
  Empty,
  FilterBar,
  Moment,
  PageHead,
  SearchBox,
  Select,
  Skeleton,
  StatusMark,
  STATUSES,
  Table,
  Tag,
  useFleet,
  usePlaces,
  useRows,
  useStore,
  type Column,
  type Sort,
} from "../ui";
import { byStatus, counts, fromQuery, isFiltered, NO_FILTER, ordered, Searchable, toQuery, versions, within, type Filter } from "./filter";
import "./list.css";
import { useHeldOrder } from "./held";
import { SavedViews } from "./views";

export function ListPage() {
  const t = useT();
  const fleet = useFleet();
  const rows = useRows();
  const places = usePlaces();
  const status = useStore(fleet.state, (state) => state.status);
  const query = useStore(place, (now) => now.query);
  const { filter, sort } = useMemo(() => fromQuery(query), [query]);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [bulk, setBulk] = useState(false);
  const box = useRef<HTMLDivElement>(null);

  const searchable = useMemo(() => new Searchable(places), [places]);
  const all = useMemo(() => within(rows.values(), filter, searchable), [rows, filter, searchable]);
  const count = useMemo(() => counts(all), [all]);
  const live = useMemo(() => ordered(byStatus(all, filter.status), sort), [all, filter, sort]);
  const shown = useHeldOrder(live, box, toQuery(filter, sort));
  const running = useMemo(() => versions(rows.values()), [rows]);

  const change = (part: Partial<Filter>, by: Sort = sort) => {
    const next = toQuery({ ...filter, ...part }, by);
    go(next === "" ? "/fleet" : `/fleet?${next}`, "replace");
  };
  // What is selected is what is listed: a device that no longer matches is not commanded unseen.
  const chosen = useMemo(() => shown.filter(({ id }) => selected.has(id)), [shown, selected]);
  useEffect(() => {
    if (selected.size > chosen.length) setSelected(new Set(chosen.map(({ id }) => id)));
  }, [chosen]);

  const units = useMemo(
    () =>
      (places?.units ?? [])
        .filter((unit) => unit.district === filter.district)
        .map(({ code, name }) => ({ value: code, label: name })),
    [places, filter.district],
  );
  const mayCommand = fleet.allows("command");

  return (
    <div class="list-page" ref={box}>
      <PageHead
        title={t("nav.devices")}
        sub={<span aria-live="polite">{t("list.shown", { shown: shown.length, total: rows.size })}</span>}
      >
        <SavedViews query={toQuery(filter, sort)} />
      </PageHead>
      <FilterBar label={t("list.filters")}>
        <SearchBox id="search" label={t("list.search")} value={filter.text} onInput={(text) => change({ text })} />
        <Select
          label={t("list.district")}
          all={t("list.district.all")}
          value={filter.district}
          options={(places?.districts ?? []).map(({ code, name }) => ({ value: code, label: name }))}
          onChange={(district) => change({ district, unit: "", building: null })}
          testid="filter-district"
        />
        {filter.district !== "" && (
          <Select
            label={t("list.unit")}
            all={t("list.unit.all")}
            value={filter.unit}
            options={units}
            onChange={(unit) => change({ unit, building: null })}
            testid="filter-unit"
          />
        )}
        <Select
          label={t("list.kind")}
          all={t("list.kind.all")}
          value={filter.kind}
          options={(["kiosk", "bridge-point"] as const).map((kind) => ({ value: kind, label: t(`kind.${kind}`) }))}
          onChange={(kind) => change({ kind: kind as DeviceKind | "" })}
          testid="filter-kind"
        />
        <Select
          label={t("list.version")}
          all={t("list.version.all")}
          value={filter.version}
          options={running.map((version) => ({ value: version, label: version }))}
          onChange={(version) => change({ version })}
          testid="filter-version"
        />
        <Chips
          label={t("list.also")}
          options={[
            { id: "flapping", label: t("list.flapping"), count: all.filter((row) => row.flapping === true).length },
            { id: "session", label: t("list.session"), count: all.filter((row) => row.in_session === true).length },
          ]}
          chosen={new Set([...(filter.flapping ? ["flapping"] : []), ...(filter.session ? ["session"] : [])])}
          onToggle={(id) => change(id === "flapping" ? { flapping: !filter.flapping } : { session: !filter.session })}
        />
        <button class="btn quiet" disabled={!isFiltered(filter)} data-testid="filter-clear" onClick={() => change(NO_FILTER)}>
          {t("ui.clear")}
        </button>
      </FilterBar>
      <div class="filter-bar">
        <Chips
          label={t("list.status")}
          options={STATUSES.map((one) => ({
            id: one,
            label: t(`status.${one}`),
            count: count.get(one) ?? 0,
            mark: <StatusMark status={one} bare size={12} />,
          }))}
          chosen={filter.status}
          onToggle={(id) => change({ status: toggled(filter.status, id as Status) })}
        />
        {filter.building !== null && (
          <button class="chip" aria-pressed="true" onClick={() => change({ building: null })}>
            {filter.building === "" ? t("list.seat") : filter.building} ✕
          </button>
        )}
        {filter.incident !== "" && (
          <button class="chip" aria-pressed="true" onClick={() => change({ incident: "" })}>
            {t("list.incident")} ✕
          </button>
        )}
      </div>
      {status === "loading" && rows.size === 0 ? (
        <div class="card fill">
          <Skeleton rows={10} />
        </div>
      ) : status === "failed" && rows.size === 0 ? (
        <Empty title={t("feed.failed")}>
          <button class="btn" onClick={() => void fleet.load()}>
            {t("retry")}
          </button>
        </Empty>
      ) : (
        <DeviceTable
          rows={shown}
          sort={sort}
          asked={toQuery(filter, sort)}
          onSort={(by) => change({}, by)}
          empty={
            rows.size === 0 ? (
              <Empty title={t("list.none")}>
                {fleet.allows("enrol") && (
                  <a class="btn primary" href="/fleet/enrol">
                    {t("list.none.enrol")}
                  </a>
                )}
              </Empty>
            ) : (
              <Empty title={t("list.nomatch")}>
                <button class="btn" onClick={() => change(NO_FILTER)}>
                  {t("ui.clear")}
                </button>
              </Empty>
            )
          }
          {...(mayCommand ? { selected, onSelect: setSelected } : {})}
        />
      )}
      {mayCommand && chosen.length > 0 && (
        <div class="bulk-bar" role="region" aria-label={t("list.bulk")} data-testid="bulk-bar">
          <strong>{t("list.selected", { n: chosen.length })}</strong>
          {chosen.length < shown.length && (
            <button class="btn small" data-testid="select-all" onClick={() => setSelected(new Set(shown.map(({ id }) => id)))}>
              {t("list.select.all", { n: shown.length })}
            </button>
          )}
          <span class="gap" />
          <button class="btn small" onClick={() => setSelected(new Set())}>
            {t("list.select.none")}
          </button>
          <button class="btn small primary" data-testid="bulk-command" onClick={() => setBulk(true)}>
            {t("list.bulk.command")}
          </button>
        </div>
      )}
      {bulk && <BulkCommands devices={chosen} onClose={() => setBulk(false)} />}
    </div>
  );
}

function toggled<T>(set: ReadonlySet<T>, one: T): ReadonlySet<T> {
  const next = new Set(set);
  if (!next.delete(one)) next.add(one);
  return next;
}

interface TableProps {
  readonly rows: readonly DeviceRow[];
  readonly sort: Sort;
  readonly asked: string;
  readonly onSort: (sort: Sort) => void;
  readonly empty: ComponentChildren;
  readonly selected?: ReadonlySet<string>;
  readonly onSelect?: (selected: ReadonlySet<string>) => void;
}

function DeviceTable(props: TableProps) {
  const t = useT();
  const of = useStore(language);
  const places = usePlaces();
  const columns = useMemo<readonly Column<DeviceRow>[]>(
    () => [
      {
        id: "status",
        head: t("list.col.status"),
        width: "136px",
        sorts: true,
        cell: (row) => <StatusMark status={row.status} />,
      },
      {
        id: "name",
        head: t("list.col.device"),
        width: "minmax(300px, 1.8fr)",
        sorts: true,
        cell: (row) => <Who row={row} where={whereWords(places, row)} />,
      },
      {
        id: "reason",
        head: t("list.col.reason"),
        width: "minmax(220px, 1.3fr)",
        cell: (row) => <Reason row={row} of={of} />,
      },
      { id: "since", head: t("list.col.since"), width: "80px", sorts: true, cell: (row) => <Moment at={row.since} /> },
      {
        id: "seen",
        head: t("list.col.seen"),
        width: "112px",
        sorts: true,
        cell: (row) => <Ago at={row.seen_at} />,
      },
    ],
    [of, places],
  );
  return (
    <Table
      label={t("nav.devices")}
      columns={columns}
      keyOf={(row) => row.id}
      onOpen={(row) => go(`/fleet/devices/${encodeURIComponent(row.id)}`)}
      keep="devices"
      rowPx={56}
      testid="devices"
      {...props}
    />
  );
}

/** Its name, and below it where it stands. */
function Who({ row, where }: { readonly row: DeviceRow; readonly where: string }) {
  return (
    <span class="who" title={`${row.name}\n${where}`}>
      <a class="name" href={`/fleet/devices/${encodeURIComponent(row.id)}`} tabIndex={-1}>
        {row.name}
      </a>
      <span>{where}</span>
    </span>
  );
}

function Reason({ row, of }: { readonly row: DeviceRow; readonly of: "vi" | "en" }) {
  const t = useT();
  const sentence = row.reason == null ? "" : told(of, row.reason);
  return (
    <span class="reason" title={sentence}>
      {row.flapping === true && <Tag tone="warn">{t("list.flapping")}</Tag>}
      {row.in_session === true && <Tag tone="info">{t("list.session")}</Tag>}
      <span class="sentence">
        {sentence}
        {(row.more ?? 0) > 0 && <span class="more"> {t("list.more", { n: number(row.more ?? 0) })}</span>}
      </span>
    </span>
  );
}
