/** Right of the desk: every bridge point, found without accents, with what can be done to it. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useT } from "../../shared/i18n";
import { Bars, Camera, Cross, Hand, Microphone, More, Search } from "../../shared/icons";
import { StepMark } from "../../shared/step-mark";
import { isReduced, stepSentence } from "../../shared/steps";
import { useStore } from "../../shared/store";
import type { RosterSite, SiteRow } from "../../shared/wire";
import type { Room } from "../room";
import type { Acts } from "./acts";
import { lookOf, LOOKS, Mark, wordOf, type Look } from "./look";
import { RowMenu, type MenuAt } from "./menu";
import { filtered, listed, NO_FILTER, type Filter } from "./roll";
import { useWindow } from "../../shared/virtual";

const ROW_PX = 52;

interface Props {
  readonly room: Room;
  readonly acts: Acts;
  readonly filter: Filter;
  readonly selected: string | null;
  readonly onFilter: (filter: Filter) => void;
  readonly onSelect: (site: string | null) => void;
  readonly onExcuse: (site: RosterSite) => void;
  readonly onLinks: (site: RosterSite) => void;
}

export function Roster({ room, acts, filter, selected, onFilter, onSelect, onExcuse, onLinks }: Props) {
  const t = useT();
  const roster = useStore(room.roster);
  const rows = useStore(room.state, (state) => state.rows);
  const floor = useStore(room.state, (state) => state.floor?.site?.code ?? null);
  const box = useRef<HTMLDivElement>(null);
  const all = useMemo(() => listed(roster.sites), [roster.sites]);
  const shown = useMemo(() => filtered(all, rows, floor, filter), [all, rows, floor, filter]);
  const [menu, setMenu] = useState<MenuAt | null>(null);
  const { window, show } = useWindow(box, ROW_PX, shown.length);
  const index = shown.findIndex((site) => site.code === selected);
  const some = filter.query !== "" || filter.look !== null || filter.district !== null || filter.hand || filter.step !== null;

  useEffect(() => {
    if (index >= 0) show(index);
  }, [selected, filter]);

  const change = (part: Partial<Filter>) => {
    onFilter({ ...filter, ...part });
    if (box.current !== null) box.current.scrollTop = 0;
  };
  const open = (site: RosterSite) => {
    onSelect(site.code);
    const element = document.getElementById(`row-${site.code}`);
    if (element !== null) setMenu({ site, beside: element.getBoundingClientRect() });
  };
  const key = (event: KeyboardEvent) => {
    const site = shown[index];
    const row = site === undefined ? undefined : rows.get(site.code);
    const go = (to: number) => {
      const next = shown[Math.max(0, Math.min(shown.length - 1, to))];
      if (next !== undefined) onSelect(next.code);
    };
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const page = Math.max(1, Math.floor((box.current?.clientHeight ?? ROW_PX) / ROW_PX) - 1);
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: index + 1,
      ArrowUp: index - 1,
      PageDown: index + page,
      PageUp: index - page,
      Home: 0,
      End: shown.length - 1,
    };
    const to = moves[event.code];
    if (to !== undefined) go(to);
    else if (site === undefined || event.shiftKey) return;
    else if (event.code === "Enter" || event.code === "Space") open(site);
    else if (event.code === "KeyF") acts.giveFloor(site.code);
    else if (event.code === "KeyP") acts.setMain(site.code);
    else if (event.code === "KeyO") acts.setTile(site.code, !isTile(room, site.code));
    else if (event.code === "KeyX") acts.setMuted(site.code, !(row?.muted ?? false));
    else if (event.code === "KeyD" && room.mayMakeLinks()) onLinks(site);
    else if (event.code === "KeyV" && row?.state !== "present" && room.may("excuse-absence")) onExcuse(site);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <section class="panel roster" aria-label={t("roster.title")}>
      <header>
        <h2>{t("roster.title")}</h2>
        <span class="count" data-testid="roster-shown" aria-live="polite">
          <span key={shown.length}>{t("roster.shown", { shown: shown.length, total: all.length })}</span>
        </span>
      </header>
      <div class="filters">
        <label class="search">
          <Search />
          <span class="sr">{t("roster.search")}</span>
          <input
            id="search"
            class="input"
            type="search"
            placeholder={t("roster.search")}
            value={filter.query}
            data-testid="search"
            autocomplete="off"
            onInput={(event) => change({ query: event.currentTarget.value })}
            onKeyDown={(event) => {
              if (event.key === "Escape") change({ query: "" });
              if (event.key === "ArrowDown" || event.key === "Enter") {
                event.preventDefault();
                box.current?.focus();
              }
            }}
          />
        </label>
        <select
          class="input"
          aria-label={t("roster.filter.state")}
          data-testid="filter-state"
          value={filter.look ?? ""}
          onChange={(event) => change({ look: (event.currentTarget.value || null) as Look | null })}
        >
          <option value="">{t("roster.filter.all")}</option>
          {LOOKS.map((look) => (
            <option key={look} value={look}>
              {t(wordOf(look))}
            </option>
          ))}
        </select>
        <select
          class="input"
          aria-label={t("roster.filter.district")}
          data-testid="filter-district"
          value={filter.district ?? ""}
          onChange={(event) => change({ district: event.currentTarget.value || null })}
        >
          <option value="">{t("roster.filter.alldistricts")}</option>
          {roster.districts.map(({ code, name }) => (
            <option key={code} value={code}>
              {name}
            </option>
          ))}
        </select>
        <button
          class="btn small icon-only"
          aria-pressed={filter.hand}
          aria-label={t("roster.filter.hand")}
          title={t("roster.filter.hand")}
          data-testid="filter-hand"
          onClick={() => change({ hand: !filter.hand })}
        >
          <Hand />
        </button>
        <button
          class="btn small icon-only"
          disabled={!some}
          aria-label={t("roster.reset")}
          title={t("roster.reset")}
          data-testid="filter-reset"
          onClick={() => onFilter(NO_FILTER)}
        >
          <Cross size={18} />
        </button>
      </div>
      <div
        ref={box}
        id="roster"
        class="scroll list"
        role="listbox"
        tabIndex={0}
        aria-label={t("roster.title")}
        aria-activedescendant={index >= 0 ? `row-${selected}` : undefined}
        data-testid="roster"
        onKeyDown={key}
        onFocus={() => {
          if (index < 0 && shown[0] !== undefined) onSelect(shown[0].code);
        }}
      >
        <div class="tall" role="presentation" style={{ height: `${shown.length * ROW_PX}px` }}>
          {shown.slice(window.from, window.to).map((site, i) => (
            <Row
              key={site.code}
              site={site}
              row={rows.get(site.code) ?? site}
              look={lookOf(rows.get(site.code), floor)}
              nth={window.from + i}
              total={shown.length}
              selected={site.code === selected}
              onSelect={onSelect}
              onOpen={open}
            />
          ))}
        </div>
        {roster.status === "failed" ? (
          <p class="empty">
            {t("roster.failed")}{" "}
            <button class="btn small" onClick={() => void room.loadRoster()}>
              {t("retry")}
            </button>
          </p>
        ) : roster.status !== "here" ? (
          <p class="empty">{t("loading")}</p>
        ) : (
          shown.length === 0 && <p class="empty">{t("roster.none")}</p>
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
            box.current?.focus();
          }}
        />
      )}
    </section>
  );
}

export function isTile(room: Room, site: string): boolean {
  return room.state.get().stage?.tiles.some(({ code }) => code === site) ?? false;
}

interface RowProps {
  readonly site: RosterSite;
  readonly row: SiteRow;
  readonly look: Look;
  readonly nth: number;
  readonly total: number;
  readonly selected: boolean;
  readonly onSelect: (site: string) => void;
  readonly onOpen: (site: RosterSite) => void;
}

function Row({ site, row, look, nth, total, selected, onSelect, onOpen }: RowProps) {
  const t = useT();
  const here = row.state === "present";
  const grade = row.line ?? "none";
  return (
    <div
      id={`row-${site.code}`}
      class="row"
      role="option"
      aria-selected={selected}
      aria-posinset={nth + 1}
      aria-setsize={total}
      data-site={site.code}
      data-state={row.state}
      style={{ transform: `translateY(${nth * ROW_PX}px)` }}
      onClick={() => onSelect(site.code)}
      onDblClick={() => onOpen(site)}
    >
      <span class="mark" title={t(wordOf(look))}>
        <Mark look={look} />
        <span class="sr">{t(wordOf(look))}</span>
      </span>
      <span class="who">
        <strong>{site.name}</strong>
        <span>
          {here && isReduced(row.step) && <em class="stepword">{t(`step.${row.step}`)} · </em>}
          {row.simulated && <em>{t("simulated")} · </em>}
          {site.district}
          {row.device === "backup" && <em> · {t("roster.backup")}</em>}
          {row.state === "excused" && row.excuse !== null && <em> · {row.excuse}</em>}
        </span>
      </span>
      <span class="facts">
        {row.hand && (
          <span class="fact hand" title={t("roster.hand")}>
            <Hand size={18} />
          </span>
        )}
        {here && (row.muted || !row.microphone) && (
          <span class={`fact ${row.muted ? "muted" : ""}`} title={t(row.muted ? "roster.micoff" : "roster.micown")}>
            <Microphone size={18} off />
          </span>
        )}
        {here && !row.camera && (
          <span class="fact" title={t("roster.camoff")}>
            <Camera size={18} off />
          </span>
        )}
        {here && row.people !== null && (
          <span class="people" title={t("roster.people", { n: row.people })}>
            {row.people}
          </span>
        )}
        {here && (
          <span
            class={`fact quality ${isReduced(row.step) ? "weak" : grade}`}
            title={stepSentence(t, row) ?? t(`line.${grade}`)}
            data-grade={grade}
            data-step={row.step ?? ""}
          >
            {isReduced(row.step) ? <StepMark step={row.step} size={20} /> : <Bars grade={grade} />}
          </span>
        )}
      </span>
      <button
        class="btn quiet icon-only more"
        tabIndex={-1}
        aria-label={t("roster.actions", { site: site.name })}
        onClick={(event) => {
          event.stopPropagation();
          onOpen(site);
        }}
      >
        <More />
      </button>
    </div>
  );
}
