/** The city as 30 tiles, a mark for each unit in them, each coloured and shaped by its worst device. */
import { useMemo, useRef, useState } from "preact/hooks";
import { number } from "../../shared/i18n";
import type { DistrictRef, Status, UnitRef } from "../../shared/fleet-wire";
import { neighbour, useTiles } from "../../shared/tiles";
import { useT, type Translate } from "../i18n";
import { shortName } from "../place-words";
import type { Places } from "../store/fleet";
import { useFleet } from "../store/use";
import { StatusMark, StatusShape, STATUSES } from "../ui/status";
import type { DistrictHealth } from "./model";

const PITCH = 14; // a mark of 10 and its gap
const LINES = 4;
const COLUMNS = 9; // so that the largest district (32 units) has four lines
const BAD: readonly Status[] = ["offline", "faulty", "degraded", "out-of-service", "quarantined"];

interface Props {
  readonly places: Places;
  readonly health: ReadonlyMap<string, DistrictHealth>;
  readonly chosen: string;
  readonly onOpen: (district: string, unit: string | null) => void;
}

export function City({ places, health, chosen, onOpen }: Props) {
  const t = useT();
  const fleet = useFleet();
  const grid = useRef<HTMLDivElement>(null);
  const [current, setCurrent] = useState(0);
  const tiles = useTiles();
  const districts = useMemo(
    () => [...places.districts].sort((a, b) => a.row - b.row || a.col - b.col),
    [places],
  );
  const units = useMemo(() => {
    const by = new Map<string, UnitRef[]>();
    for (const unit of places.units) by.set(unit.district, [...(by.get(unit.district) ?? []), unit]);
    return by;
  }, [places]);

  const key = (event: KeyboardEvent) => {
    const here = districts[current];
    const next = here === undefined ? null : neighbour(districts, here, event.key);
    if (next === null) return;
    event.preventDefault();
    setCurrent(next);
    grid.current?.querySelectorAll<HTMLElement>("button.tile")[next]?.focus();
  };
  return (
    <div ref={grid} class="city live" data-testid="city" onKeyDown={key}>
      {districts.map((district, i) => {
        const is = health.get(district.code);
        const covered = fleet.covers(district.code);
        return tiles(district.code, [is?.look, covered, district.code === chosen, i === current, t("app.sub")], () => (
          <Tile
            key={district.code}
            district={district}
            units={units.get(district.code) ?? []}
            health={is}
            covered={covered}
            chosen={district.code === chosen}
            tabbable={i === current}
            onFocus={() => setCurrent(i)}
            onOpen={(unit) => onOpen(district.code, unit)}
          />
        ));
      })}
    </div>
  );
}

interface TileProps {
  readonly district: DistrictRef;
  readonly units: readonly UnitRef[];
  readonly health: DistrictHealth | undefined;
  readonly covered: boolean;
  readonly chosen: boolean;
  readonly tabbable: boolean;
  readonly onFocus: () => void;
  readonly onOpen: (unit: string | null) => void;
}

function Tile({ district, units, health, covered, chosen, tabbable, onFocus, onOpen }: TileProps) {
  const t = useT();
  const bad = BAD.filter((status) => (health?.counts.get(status) ?? 0) > 0);
  const columns = Math.max(COLUMNS, Math.ceil(units.length / LINES));
  return (
    <button
      class={`tile ${health === undefined ? "" : `s-${health.worst}`}`}
      style={{ gridRow: district.row + 1, gridColumn: district.col + 1 }}
      tabIndex={tabbable ? 0 : -1}
      aria-pressed={chosen}
      aria-label={`${district.name}: ${spoken(t, health, covered)}`}
      data-district={district.code}
      data-worst={health?.worst ?? ""}
      data-covered={covered}
      onFocus={onFocus}
      onClick={(event) => onOpen((event.target as Element).closest("[data-unit]")?.getAttribute("data-unit") ?? null)}
    >
      <span class="district">{shortName(district.name)}</span>
      <svg viewBox={`0 0 ${columns * PITCH - 4} ${LINES * PITCH - 4}`} aria-hidden="true" preserveAspectRatio="xMinYMid meet">
        {units.map((unit, i) => {
          const is = health?.units.get(unit.code);
          const x = (i % columns) * PITCH;
          const y = Math.floor(i / columns) * PITCH;
          return (
            <g key={unit.code} data-unit={unit.code}>
              <rect x={x - 2} y={y - 2} width={PITCH} height={PITCH} fill="transparent">
                <title>{`${unit.name}: ${is === undefined ? t("map.nothing") : countsSaid(t, is.counts)}`}</title>
              </rect>
              {is === undefined ? (
                <circle cx={x + 5} cy={y + 5} r="1" class="nobody" />
              ) : (
                <StatusShape status={is.worst} x={x} y={y} />
              )}
            </g>
          );
        })}
      </svg>
      <span class="bad">
        {!covered ? (
          <span class="aside">{t("map.notyours")}</span>
        ) : health === undefined ? (
          <span class="aside">{t("map.nothing")}</span>
        ) : bad.length === 0 ? (
          <span class="aside">{t("map.devices", { n: health.total })}</span>
        ) : (
          bad.slice(0, health.incidents.size > 0 ? 2 : 3).map((status) => (
            <span key={status} class={`s-${status}`}>
              <StatusMark status={status} bare size={11} /> {number(health.counts.get(status) ?? 0)}
            </span>
          ))
        )}
        {health !== undefined && health.incidents.size > 0 && (
          <strong class="badge" title={t("map.incidents", { n: health.incidents.size })} data-testid="tile-incidents">
            {number(health.incidents.size)}
          </strong>
        )}
      </span>
    </button>
  );
}

export function countsSaid(t: Translate, counts: ReadonlyMap<Status, number>): string {
  return STATUSES.filter((one) => (counts.get(one) ?? 0) > 0)
    .map((one) => `${t(`status.${one}`)} ${number(counts.get(one) ?? 0)}`)
    .join(", ");
}

function spoken(t: Translate, health: DistrictHealth | undefined, covered: boolean): string {
  if (!covered) return t("map.notyours");
  return health === undefined ? t("map.nothing") : countsSaid(t, health.counts);
}
