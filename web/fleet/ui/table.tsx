/**
 * A list of thousands: only the rows in sight are drawn, all of one height. Arrows, Page and Home/End move, Enter opens,
 * Space selects, with Shift a stretch of rows, Ctrl+A all. The pointer does the same.
 */
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useTiles } from "../../shared/tiles";
import { useWindow } from "../../shared/virtual";
import { useT } from "../i18n";

export interface Column<T> {
  readonly id: string;
  readonly head: string;
  /** A track of a CSS grid: "120px", "minmax(0, 2fr)". */
  readonly width: string;
  readonly cell: (row: T) => ComponentChildren;
  readonly sorts?: boolean;
  readonly numeric?: boolean;
  /** Narrow windows go without it. */
  readonly wide?: boolean;
}

export interface Sort {
  readonly by: string;
  readonly down: boolean;
}

interface Props<T> {
  readonly label: string;
  readonly rows: readonly T[];
  readonly columns: readonly Column<T>[];
  readonly keyOf: (row: T) => string;
  readonly rowPx?: number;
  readonly sort?: Sort;
  readonly onSort?: (sort: Sort) => void;
  readonly selected?: ReadonlySet<string>;
  readonly onSelect?: (selected: ReadonlySet<string>) => void;
  readonly onOpen?: (row: T) => void;
  /** A name under which the place in the list is kept while other pages are looked at. */
  readonly keep?: string;
  /** Another value of it (another filter) begins at the top again. */
  readonly asked?: string;
  /** Instead of rows when there are none. */
  readonly empty?: ComponentChildren;
  readonly testid?: string;
}

const places = new Map<string, { readonly top_px: number; readonly key: string | null }>();
const NARROW = "(max-width: 1180px)";

export function Table<T>(props: Props<T>) {
  const { label, rows, keyOf, rowPx = 44, sort, onSort, selected, onSelect, onOpen, keep, asked, empty, testid } = props;
  const t = useT();
  const box = useRef<HTMLDivElement>(null);
  const id = useRef(`table-${Math.random().toString(36).slice(2, 8)}`).current;
  const narrow = useMedia(NARROW);
  const columns = useMemo(() => props.columns.filter(({ wide }) => wide !== true || !narrow), [props.columns, narrow]);
  const drawn = useTiles(); // a row that is as before is not drawn again while the list scrolls
  const [current, setCurrent] = useState<string | null>((keep === undefined ? undefined : places.get(keep))?.key ?? null);
  const anchor = useRef<string | null>(null);
  const { window, show } = useWindow(box, rowPx, rows.length);
  const index = current === null ? -1 : rows.findIndex((row) => keyOf(row) === current);
  const tracks = `${onSelect === undefined ? "" : "40px "}${columns.map(({ width }) => width).join(" ")}`;

  useEffect(() => {
    const element = box.current;
    if (keep === undefined || element === null) return undefined;
    element.scrollTop = places.get(keep)?.top_px ?? 0;
    const scrolled = () => places.set(keep, { top_px: element.scrollTop, key: places.get(keep)?.key ?? null });
    element.addEventListener("scroll", scrolled, { passive: true });
    return () => element.removeEventListener("scroll", scrolled);
  }, [keep]);

  const before = useRef(asked);
  useEffect(() => {
    if (before.current !== asked && box.current !== null) box.current.scrollTop = 0;
    before.current = asked;
  }, [asked]);

  const point = (to: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, to))];
    if (row === undefined) return;
    setCurrent(keyOf(row));
    if (keep !== undefined) places.set(keep, { top_px: box.current?.scrollTop ?? 0, key: keyOf(row) });
    show(rows.indexOf(row));
  };
  const select = (to: number, stretch: boolean) => {
    const row = rows[to];
    if (row === undefined || onSelect === undefined || selected === undefined) return;
    const next = new Set(selected);
    const from = stretch && anchor.current !== null ? rows.findIndex((one) => keyOf(one) === anchor.current) : -1;
    if (from >= 0) {
      for (const one of rows.slice(Math.min(from, to), Math.max(from, to) + 1)) next.add(keyOf(one));
    } else {
      if (!next.delete(keyOf(row))) next.add(keyOf(row));
      anchor.current = keyOf(row);
    }
    onSelect(next);
  };
  const key = (event: KeyboardEvent) => {
    if (event.target !== box.current) return;
    if (event.key === "a" && (event.ctrlKey || event.metaKey) && onSelect !== undefined) {
      onSelect(new Set(rows.map(keyOf)));
      event.preventDefault();
      return;
    }
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const page = Math.max(1, Math.floor((box.current?.clientHeight ?? rowPx) / rowPx) - 2);
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: index + 1,
      ArrowUp: index - 1,
      PageDown: index + page,
      PageUp: index - page,
      Home: 0,
      End: rows.length - 1,
    };
    const to = moves[event.key];
    const row = rows[index];
    if (to !== undefined) {
      if (event.shiftKey && index >= 0 && onSelect !== undefined) {
        if (anchor.current === null) anchor.current = current;
        select(Math.max(0, Math.min(rows.length - 1, to)), true);
      }
      point(to);
    } else if (event.key === "Escape" && selected !== undefined && selected.size > 0) onSelect?.(new Set());
    else if (row === undefined) return;
    else if (event.key === "Enter" && onOpen !== undefined) onOpen(row);
    else if (event.key === " " && onSelect !== undefined) select(index, event.shiftKey);
    else return;
    event.preventDefault();
  };
  const latest = useRef({ point, select, rows, onOpen });
  latest.current = { point, select, rows, onOpen };
  const pointed = useRef((nth: number, how: How, stretch: boolean) => {
    const now = latest.current;
    if (how === "tick") return now.select(nth, stretch);
    now.point(nth);
    const row = now.rows[nth];
    if (how === "select") now.select(nth, stretch);
    else if (row !== undefined) now.onOpen?.(row);
  }).current;
  const all = rows.length > 0 && selected !== undefined && rows.every((row) => selected.has(keyOf(row)));

  return (
    <div class="table" data-testid={testid}>
      <div
        ref={box}
        class="table-box"
        role="grid"
        tabIndex={0}
        aria-label={label}
        aria-rowcount={rows.length + 1}
        aria-multiselectable={onSelect === undefined ? undefined : true}
        aria-activedescendant={index >= 0 ? `${id}-${current}` : undefined}
        onKeyDown={key}
        onFocus={(event) => {
          // By the keyboard only: a list that moves under the pointer's press takes the click elsewhere.
          const byKeys = event.target === box.current && (event.target as Element).matches(":focus-visible");
          if (byKeys && index < 0 && rows.length > 0) point(window.from === 0 ? 0 : window.from + 6);
        }}
      >
        <div class="table-head" role="row" aria-rowindex={1} style={{ gridTemplateColumns: tracks }}>
          {onSelect !== undefined && (
            <span role="columnheader" class="tick">
              <input
                type="checkbox"
                aria-label={t("ui.select.all")}
                checked={all}
                ref={(element) => {
                  if (element !== null) element.indeterminate = !all && (selected?.size ?? 0) > 0;
                }}
                onChange={() => onSelect(all ? new Set() : new Set(rows.map(keyOf)))}
              />
            </span>
          )}
          {columns.map((column) => {
            const is = sort?.by === column.id;
            return (
              <span
                key={column.id}
                role="columnheader"
                class={column.numeric === true ? "numeric" : ""}
                aria-sort={is ? (sort.down ? "descending" : "ascending") : undefined}
              >
                {column.sorts === true && onSort !== undefined ? (
                  <button
                    title={t("ui.sort", { column: column.head })}
                    onClick={() => onSort({ by: column.id, down: is ? !sort.down : false })}
                  >
                    {column.head}
                    <svg width="10" height="10" viewBox="0 0 10 10" aria-hidden="true" class={is ? "is" : ""}>
                      <path d={is && sort.down ? "M1 3l4 4 4-4" : "M1 7l4-4 4 4"} />
                    </svg>
                  </button>
                ) : (
                  column.head
                )}
              </span>
            );
          })}
        </div>
        <div class="table-rows" role="presentation" style={{ height: `${rows.length * rowPx}px` }}>
          {rows.slice(window.from, window.to).map((row, i) => {
            const nth = window.from + i;
            const name = keyOf(row);
            const chosen = selected?.has(name) ?? false;
            return drawn(name, [row, nth, chosen, name === current, tracks, columns, onSelect === undefined], () => (
              <Line
                key={name}
                id={`${id}-${name}`}
                name={name}
                row={row}
                nth={nth}
                chosen={onSelect === undefined ? undefined : chosen}
                current={name === current}
                opens={onOpen !== undefined}
                columns={columns}
                style={{ gridTemplateColumns: tracks, height: `${rowPx}px`, transform: `translateY(${nth * rowPx}px)` }}
                onPoint={pointed}
              />
            ));
          })}
        </div>
        {rows.length === 0 && empty}
      </div>
    </div>
  );
}

type How = "open" | "select" | "tick";

interface LineProps<T> {
  readonly id: string;
  readonly name: string;
  readonly row: T;
  readonly nth: number;
  readonly chosen: boolean | undefined;
  readonly current: boolean;
  readonly opens: boolean;
  readonly columns: readonly Column<T>[];
  readonly style: Readonly<Record<string, string>>;
  readonly onPoint: (nth: number, how: How, stretch: boolean) => void;
}

function Line<T>({ id, name, row, nth, chosen, current, opens, columns, style, onPoint }: LineProps<T>) {
  const t = useT();
  return (
    <div
      id={id}
      class="table-row"
      role="row"
      aria-rowindex={nth + 2}
      aria-selected={chosen}
      data-row={name}
      data-current={current}
      data-opens={opens}
      style={style}
      onClick={(event) => {
        const target = event.target as Element;
        if (target.closest("a, button, input, label") !== null) return;
        const selects = target.closest(".tick") !== null || event.shiftKey || event.ctrlKey || event.metaKey;
        onPoint(nth, selects ? "select" : "open", event.shiftKey);
      }}
    >
      {chosen !== undefined && (
        <span role="gridcell" class="tick">
          <input
            type="checkbox"
            tabIndex={-1}
            aria-label={t("ui.select")}
            checked={chosen}
            onClick={(event) => {
              event.preventDefault();
              const stretch = event.shiftKey;
              // The browser puts the tick back after a click that is prevented: draw after that.
              setTimeout(() => onPoint(nth, "tick", stretch));
            }}
          />
        </span>
      )}
      {columns.map((column) => (
        <span key={column.id} role="gridcell" class={column.numeric === true ? "numeric" : ""}>
          {column.cell(row)}
        </span>
      ))}
    </div>
  );
}

function useMedia(query: string): boolean {
  const [is, setIs] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const look = () => setIs(media.matches);
    look();
    media.addEventListener("change", look);
    return () => media.removeEventListener("change", look);
  }, [query]);
  return is;
}
