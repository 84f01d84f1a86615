/** Below: the city as district tiles, one cell per unit, the whole roll in one look. */
import { useMemo, useRef, useState } from "preact/hooks";
import { number, useT } from "../../shared/i18n";
import type { Rows } from "../../shared/state";
import { isReduced, stepSentence } from "../../shared/steps";
import { useStore } from "../../shared/store";
import type { DistrictInfo, RosterSite, SiteRow } from "../../shared/wire";
import { neighbour, useTiles } from "../../shared/tiles";
import type { Room } from "../room";
import { lookOf, LOOKS, Mark, Shape, wordOf, type Look } from "./look";
import { counts as countsAs, shortName } from "./roll";

const PITCH = 12; // a cell of 10 and its gap
const COLUMNS = 17; // so that the largest district (32 units) has two lines
const LINES = 2;

interface Props {
  readonly room: Room;
  readonly look: Look | null;
  readonly district: string | null;
  readonly onLook: (look: Look | null) => void;
  readonly onDistrict: (district: string, site: string | null) => void;
}

interface Pointed {
  readonly text: string;
  readonly x: number;
  readonly y: number;
}

export function City({ room, look, district, onLook, onDistrict }: Props) {
  const t = useT();
  const { sites, districts, status } = useStore(room.roster);
  const rows = useStore(room.state, (state) => state.rows);
  const floor = useStore(room.state, (state) => state.floor?.site?.code ?? null);
  const grid = useRef<HTMLDivElement>(null);
  const [pointed, setPointed] = useState<Pointed | null>(null);
  const [current, setCurrent] = useState(0);
  const groups = useMemo(() => byDistrict(sites, districts), [sites, districts]);
  const tiles = useTiles();

  const nameOf = (code: string): string => {
    const site = sites.find((one) => one.code === code);
    if (site === undefined) return "";
    const row = rows.get(code);
    const words = [t(wordOf(lookOf(row, floor)))];
    const why = row === undefined ? null : stepSentence(t, row);
    if (isReduced(row?.step) && why !== null) words.push(why);
    if (row?.hand === true) words.push(t("roster.hand"));
    if (site.simulated) words.push(t("simulated"));
    return `${site.name}, ${site.district}: ${words.join(", ")}`;
  };
  const point = (event: PointerEvent) => {
    const code = (event.target as Element).closest("[data-cell]")?.getAttribute("data-cell");
    setPointed(code == null ? null : { text: nameOf(code), x: event.clientX, y: event.clientY });
  };
  const focus = (event: FocusEvent) => {
    const tile = event.target as Element;
    const group = groups.find(({ info }) => info.code === tile.getAttribute("data-district"));
    if (group === undefined || !tile.matches(":focus-visible")) return;
    const counts = LOOKS.map((one) => [one, group.sites.filter((s) => lookOf(rows.get(s.code), floor) === one).length] as const);
    const words = counts.filter(([, n]) => n > 0).map(([one, n]) => `${t(wordOf(one))} ${n}`);
    const { left, top } = tile.getBoundingClientRect();
    setPointed({ text: `${group.info.name}: ${words.join(", ")}`, x: left, y: top });
  };
  const key = (event: KeyboardEvent) => {
    const here = groups[current];
    if (here === undefined) return;
    const next = neighbour(
      groups.map(({ info }) => spot(info)),
      spot(here.info),
      event.key,
    );
    if (next === null) return;
    event.preventDefault();
    setCurrent(next);
    grid.current?.querySelectorAll<HTMLElement>("button.tile")[next]?.focus();
  };

  return (
    <section class="panel city" aria-label={t("city.title")} id="city">
      <header>
        <h2>
          {t("city.title")} <span class="count">{t("city.sub", { n: sites.length, districts: districts.length })}</span>
        </h2>
        <Legend rows={rows} sites={sites} floor={floor} look={look} onLook={onLook} />
      </header>
      <div
        ref={grid}
        class="tiles"
        data-testid="city"
        aria-busy={status !== "here"}
        onKeyDown={key}
        onPointerMove={point}
        onPointerLeave={() => setPointed(null)}
        onFocusIn={focus}
        onFocusOut={() => setPointed(null)}
      >
        {groups.map(({ info, sites: units }, i) =>
          tiles(
            info.code,
            [
              ...units.map((site) => rows.get(site.code)),
              floor !== null && units.some((site) => site.code === floor) ? floor : null,
              info.code === district,
              i === current,
              t,
            ],
            () => (
              <Tile
                key={info.code}
                info={info}
                sites={units}
                rows={rows}
                floor={floor}
                pressed={info.code === district}
                tabbable={i === current}
                onFocus={() => setCurrent(i)}
                onOpen={(site) => onDistrict(info.code, site)}
              />
            ),
          ),
        )}
      </div>
      {pointed !== null && (
        <p class="tip" role="tooltip" style={tipAt(pointed)}>
          {pointed.text}
        </p>
      )}
    </section>
  );
}

/** Above the pointer, and kept on the page. */
function tipAt({ x, y }: Pointed): { left: string; top: string } {
  return { left: `${Math.max(8, Math.min(x + 12, innerWidth - 568))}px`, top: `${y - 44}px` };
}

interface Group {
  readonly info: DistrictInfo;
  readonly sites: readonly RosterSite[];
}

function spot({ tile_row, tile_col }: DistrictInfo) {
  return { row: tile_row, col: tile_col };
}

function byDistrict(sites: readonly RosterSite[], districts: readonly DistrictInfo[]): readonly Group[] {
  const order = [...districts].sort((a, b) => a.tile_row - b.tile_row || a.tile_col - b.tile_col);
  return order.map((info) => ({ info, sites: sites.filter((site) => site.district_code === info.code) }));
}

interface TileProps {
  readonly info: DistrictInfo;
  readonly sites: readonly RosterSite[];
  readonly rows: Rows;
  readonly floor: string | null;
  readonly pressed: boolean;
  readonly tabbable: boolean;
  readonly onFocus: () => void;
  readonly onOpen: (site: string | null) => void;
}

function Tile({ info, sites, rows, floor, pressed, tabbable, onFocus, onOpen }: TileProps) {
  const t = useT();
  const present = sites.filter((site) => rows.get(site.code)?.state === "present").length;
  return (
    <button
      class="tile"
      style={{ gridRow: info.tile_row + 1, gridColumn: info.tile_col + 1 }}
      tabIndex={tabbable ? 0 : -1}
      aria-pressed={pressed}
      aria-label={`${info.name}: ${t("city.present", { present, units: info.units })} ${t("state.present")}`}
      data-district={info.code}
      onFocus={onFocus}
      onClick={(event) => onOpen((event.target as Element).closest("[data-cell]")?.getAttribute("data-cell") ?? null)}
    >
      <span class="district">
        {shortName(info.name)}
        <span class="present">{t("city.present", { present, units: info.units })}</span>
      </span>
      <svg viewBox={`0 0 ${COLUMNS * PITCH - 2} ${LINES * PITCH - 2}`} aria-hidden="true">
        {sites.map((site, i) => (
          <Cell
            key={site.code}
            code={site.code}
            row={rows.get(site.code)}
            floor={floor}
            x={(i % columnsFor(sites.length)) * PITCH}
            y={Math.floor(i / columnsFor(sites.length)) * PITCH}
          />
        ))}
      </svg>
    </button>
  );
}

/** A district of more units than two full lines of the usual width is a roster of tomorrow: it gets smaller cells. */
function columnsFor(units: number): number {
  return Math.max(COLUMNS, Math.ceil(units / LINES));
}

interface CellProps {
  readonly code: string;
  readonly row: SiteRow | undefined;
  readonly floor: string | null;
  readonly x: number;
  readonly y: number;
}

function Cell({ code, row, floor, x, y }: CellProps) {
  return (
    <g data-cell={code}>
      <rect x={x - 1} y={y - 1} width={PITCH} height={PITCH} class={row?.hand === true ? "hand" : "field"} />
      <Shape look={lookOf(row, floor)} x={x} y={y} />
    </g>
  );
}

interface LegendProps {
  readonly rows: Rows;
  readonly sites: readonly RosterSite[];
  readonly floor: string | null;
  readonly look: Look | null;
  readonly onLook: (look: Look | null) => void;
}

/** The legend counts, and each entry is a filter of the roll. */
function Legend({ rows, sites, floor, look, onLook }: LegendProps) {
  const t = useT();
  const counts = new Map<Look, number>();
  for (const { code } of sites) {
    const is = lookOf(rows.get(code), floor);
    counts.set(is, (counts.get(is) ?? 0) + 1);
    if (is !== "present" && countsAs(is, "present")) counts.set("present", (counts.get("present") ?? 0) + 1);
  }
  return (
    <ul class="legend">
      {LOOKS.map((one) => (
        <li key={one}>
          <button
            aria-pressed={one === look}
            data-look={one}
            title={t(wordOf(one))}
            onClick={() => onLook(one === look ? null : one)}>
            <Mark look={one} size={12} />
            {t(one === "floor" || one === "weak" ? `legend.${one}` : wordOf(one))} <strong>{number(counts.get(one) ?? 0)}</strong>
          </button>
        </li>
      ))}
    </ul>
  );
}
