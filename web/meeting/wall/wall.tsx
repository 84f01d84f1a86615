/** City hall's wall: the bridge points that are here, twenty-five pictures a page. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useT } from "../../shared/i18n";
import { Chevron, Grid, Undo } from "../../shared/icons";
import { useStore } from "../../shared/store";
import { wallSlot } from "../../shared/wall";
import type { RosterSite } from "../../shared/wire";
import type { Acts } from "../desk/acts";
import { RowMenu, type MenuAt } from "../desk/menu";
import { isTile } from "../desk/roster";
import type { Room } from "../room";
import { hasPicture, kept, moved, NO_WALL_FILTER, onPage, pagesOf, wallOrder, type WallFilter } from "./pages";
import { WallTile } from "./tile";

interface Props {
  readonly room: Room;
  readonly acts: Acts;
  readonly onExcuse: (site: RosterSite) => void;
  readonly onLinks: (site: RosterSite) => void;
  readonly onClose: () => void;
}

export function WallPage({ room, acts, onExcuse, onLinks, onClose }: Props) {
  const t = useT();
  const { sites, districts, status } = useStore(room.roster);
  const rows = useStore(room.state, (state) => state.rows);
  const floor = useStore(room.state, (state) => state.floor?.site?.code ?? null);
  const speaking = useStore(room.state, (state) => state.speaking);
  const media = useStore(room.wallMedia);
  const told = useStore(room.wallTold);
  const [filter, setFilter] = useState<WallFilter>(NO_WALL_FILTER);
  const [sorted, setSorted] = useState(0); // how often it was asked to sort again
  const [page, setPage] = useState(0);
  const [at, setAt] = useState(0);
  const [menu, setMenu] = useState<MenuAt | null>(null);
  const grid = useRef<HTMLDivElement>(null);

  const order = useOrder(sites, rows, filter, sorted, page);
  const pages = pagesOf(order.length);
  const here = Math.min(page, pages - 1);
  const codes = onPage(order, here);
  const known = useMemo(() => new Map(sites.map((site) => [site.code, site])), [sites]);
  const shown = codes.flatMap((code) => known.get(code) ?? []);
  const watched = useSeen() ? codes.join(" ") : "";

  useEffect(() => room.watchWall(watched === "" ? [] : watched.split(" ")), [room, watched]);
  useEffect(() => () => room.watchWall(null), [room]);

  const turn = (by: number) => {
    setPage(Math.max(0, Math.min(pages - 1, here + by)));
    setAt(0);
  };
  const change = (part: Partial<WallFilter>) => {
    setFilter({ ...filter, ...part });
    setPage(0);
    setAt(0);
  };
  const open = (site: RosterSite) => {
    const element = grid.current?.querySelector(`[data-wall="${site.code}"]`);
    if (element != null) setMenu({ site, beside: element.getBoundingClientRect() });
  };
  const choose = (nth: number) => {
    setAt(nth);
    grid.current?.querySelectorAll<HTMLElement>("[data-wall]")[nth]?.focus();
  };
  const act = (code: string, site: RosterSite | undefined): (() => void) | null => {
    if (site === undefined) return null;
    switch (code) {
      case "KeyF":
        return () => acts.giveFloor(site.code);
      case "KeyP":
        return () => acts.setMain(site.code);
      case "KeyO":
        return () => acts.setTile(site.code, !isTile(room, site.code));
      case "KeyX":
        return () => acts.setMuted(site.code, !(rows.get(site.code)?.muted ?? false));
      default:
        return null;
    }
  };
  const key = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    if (event.target instanceof HTMLElement && event.target.matches("select")) return;
    const chosen = (event.target as Element).closest("[data-wall]") === null ? undefined : shown[at];
    const done =
      event.code === "PageDown"
        ? () => turn(1)
        : event.code === "PageUp"
          ? () => turn(-1)
          : event.code === "Home"
            ? () => turn(-pages)
            : event.code === "End"
              ? () => turn(pages)
              : event.code.startsWith("Arrow")
                ? () => choose(chosen === undefined ? at : moved(at, event.code, shown.length))
                : act(event.code, chosen);
    if (done === null) return;
    event.preventDefault();
    event.stopPropagation();
    done();
  };
  // The keys of the wall go wherever the focus is, as long as no dialogue asks.
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (document.querySelector("dialog[open], .veil") === null) key(event);
    };
    addEventListener("keydown", listen, { capture: true });
    return () => removeEventListener("keydown", listen, { capture: true });
  });

  const from = here * onPage(order, 0).length;
  const without = sites.filter(({ code }) => rows.get(code)?.state === "present" && !hasPicture(rows.get(code))).length;
  const mayLeaveAlone = useStore(room.state, (state) => state.you?.site == null);
  return (
    <section class="wall" aria-label={t("wall.title")} data-testid="wall" data-media={media.status} data-page={here + 1}>
      <header>
        <button class="btn small" data-testid="wall-close" aria-keyshortcuts="W Escape" onClick={onClose}>
          <Undo />
          {t("wall.close")}
          <kbd>W</kbd>
        </button>
        <h2>
          <Grid />
          {t("wall.title")}
        </h2>
        <select
          class="input"
          aria-label={t("roster.filter.district")}
          data-testid="wall-district"
          value={filter.district ?? ""}
          onChange={(event) => change({ district: event.currentTarget.value || null })}
        >
          <option value="">{t("wall.district")}</option>
          {districts.map(({ code, name }) => (
            <option key={code} value={code}>
              {name}
            </option>
          ))}
        </select>
        <button
          class="btn small"
          aria-pressed={filter.weakFirst}
          data-testid="wall-weak"
          onClick={() => change({ weakFirst: !filter.weakFirst })}
        >
          {t("wall.weak")}
        </button>
        <button class="btn quiet small" data-testid="wall-again" onClick={() => setSorted(sorted + 1)}>
          {t("wall.again")}
        </button>
        <p class="range" data-lost={String(media.status === "lost")} data-testid="wall-range" aria-live="polite">
          {media.status === "lost"
            ? t("wall.lost")
            : shown.length === 0
            ? t("wall.range.none")
            : t("wall.range", { from: from + 1, to: from + shown.length, total: order.length })}
          {without > 0 && <span> · {t("wall.without", { n: without })}</span>}
        </p>
        {mayLeaveAlone && !ALONE && (
          <button class="btn quiet small" data-testid="wall-window" onClick={openAlone}>
            {t("wall.window")}
          </button>
        )}
        <nav aria-label={t("wall.page", { page: here + 1, pages })}>
          <button
            class="btn small icon-only back"
            disabled={here === 0}
            aria-label={t("wall.previous")}
            title={`${t("wall.previous")} (PageUp)`}
            data-testid="wall-previous"
            onClick={() => turn(-1)}
          >
            <Chevron />
          </button>
          <strong data-testid="wall-page">{t("wall.page", { page: here + 1, pages })}</strong>
          <button
            class="btn small icon-only"
            disabled={here >= pages - 1}
            aria-label={t("wall.next")}
            title={`${t("wall.next")} (PageDown)`}
            data-testid="wall-next"
            onClick={() => turn(1)}
          >
            <Chevron />
          </button>
        </nav>
      </header>
      <div class="pictures" ref={grid} role="group" aria-label={t("wall.title")} aria-busy={status !== "here"}>
        {status === "loading" || status === "unasked"
          ? Array.from({ length: 25 }, (_, i) => <div key={i} class="waiting" />)
          : shown.map((site, i) => (
              <WallTile
                key={i}
                room={room}
                site={site}
                row={rows.get(site.code)}
                floor={floor}
                heard={speaking.some(({ code }) => code === site.code)}
                slot={wallSlot(i)}
                track={media.tracks[wallSlot(i)]}
                since_ms={told.sites[i] === site.code ? told.at_ms : Infinity}
                tabbable={i === at}
                onFocus={() => setAt(i)}
                onOpen={() => open(site)}
              />
            ))}
        {status === "here" && shown.length === 0 && (
          <p class="empty" data-testid="wall-empty">
            {t(filter.district === null ? "wall.empty" : "wall.empty.filtered")}
            {filter.district !== null && (
              <button class="btn small" onClick={() => change(NO_WALL_FILTER)}>
                {t("step.counts.all")}
              </button>
            )}
          </p>
        )}
        {status === "failed" && (
          <p class="empty">
            {t("roster.failed")}
            <button class="btn small" onClick={() => void room.loadRoster()}>
              {t("retry")}
            </button>
          </p>
        )}
      </div>
      {menu !== null && (
        <RowMenu
          room={room}
          acts={acts}
          at={menu}
          onExcuse={onExcuse}
          onLinks={onLinks}
          onClose={() => {
            setMenu(null);
            choose(at);
          }}
        />
      )}
    </section>
  );
}

/** `?wall=1`: this window is the wall's own. */
export const ALONE = new URLSearchParams(location.search).has("wall");

/** Without an opener a window begins a session of its own. */
function openAlone(): void {
  window.open(`${location.pathname}?auto=1&wall=1${location.hash}`, "_blank", "noopener");
}

/** False while the window is out of sight: then no site needs to send for it. */
function useSeen(): boolean {
  const [seen, setSeen] = useState(!document.hidden);
  useEffect(() => {
    const look = () => setSeen(!document.hidden);
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, []);
  return seen;
}

/** Sorted when the filter changes or it is asked for; otherwise everybody keeps their place. */
function useOrder(
  sites: readonly RosterSite[],
  rows: Parameters<typeof wallOrder>[1],
  filter: WallFilter,
  sorted: number,
  page: number,
): readonly string[] {
  const last = useRef<{ readonly asked: string; readonly order: readonly string[] }>({ asked: "", order: [] });
  const asked = `${filter.district} ${filter.weakFirst} ${sorted} ${sites.length}`;
  const now = wallOrder(sites, rows, filter);
  const order = last.current.asked === asked ? kept(last.current.order, now, page) : now;
  last.current = { asked, order };
  return order;
}
