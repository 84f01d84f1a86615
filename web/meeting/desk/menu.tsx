/** What can be done to one bridge point, as a small menu beside its row. */
import { useLayoutEffect, useRef } from "preact/hooks";
import { useT } from "../../shared/i18n";
import type { Key } from "../../shared/i18n/vi";
import { stepSentence } from "../../shared/steps";
import { Still } from "../../shared/still";
import { useStore } from "../../shared/store";
import type { RosterSite } from "../../shared/wire";
import type { Room } from "../room";
import type { Acts } from "./acts";

const EDGE_PX = 8;

export interface MenuAt {
  readonly site: RosterSite;
  readonly beside: DOMRect;
}

interface Props {
  readonly room: Room;
  readonly acts: Acts;
  readonly at: MenuAt;
  readonly onExcuse: (site: RosterSite) => void;
  readonly onLinks: (site: RosterSite) => void;
  readonly onClose: () => void;
}

interface Item {
  readonly key: Key;
  readonly shortcut?: string;
  readonly act: () => void;
}

export function RowMenu({ room, acts, at, onExcuse, onLinks, onClose }: Props) {
  const t = useT();
  const { site, beside } = at;
  const { code } = site;
  const menu = useRef<HTMLDivElement>(null);
  const row = useStore(room.state, (state) => state.rows.get(code));
  const floor = useStore(room.state, (state) => state.floor?.site?.code ?? null);
  const stage = useStore(room.state, (state) => state.stage);

  useLayoutEffect(() => {
    const element = menu.current;
    if (element === null) return;
    const { width, height } = element.getBoundingClientRect();
    const left = Math.min(beside.right - width, innerWidth - width - EDGE_PX);
    const below = beside.bottom + height + EDGE_PX < innerHeight;
    element.style.left = `${Math.max(EDGE_PX, left)}px`;
    element.style.top = `${Math.max(EDGE_PX, below ? beside.bottom : beside.top - height)}px`;
    element.querySelector("button")?.focus();
  }, []);

  const here = row?.state === "present";
  const why = row === undefined ? null : stepSentence(t, row);
  const tile = stage?.tiles.some((one) => one.code === code) ?? false;
  const main = stage?.main.code === code;
  const muted = row?.muted ?? false;
  const items: Item[] = [];
  const offer = (command: string, item: Item, when = true) => {
    if (when && room.may(command)) items.push(item);
  };
  offer("give-floor", { key: "action.floor", shortcut: "F", act: () => acts.giveFloor(code) }, here && floor !== code);
  offer("take-floor", { key: "action.take", shortcut: "T", act: () => acts.takeFloor() }, floor === code);
  offer("set-stage", { key: "action.main", shortcut: "P", act: () => acts.setMain(code) }, here && !main);
  offer("set-stage", { key: "action.unmain", shortcut: "H", act: () => acts.setMain(null) }, main);
  offer("set-stage", { key: "action.tile", shortcut: "O", act: () => acts.setTile(code, true) }, here && !tile && !main);
  offer("set-stage", { key: "action.untile", shortcut: "O", act: () => acts.setTile(code, false) }, tile);
  offer("mute-site", { key: "action.mute", shortcut: "X", act: () => acts.setMuted(code, true) }, !muted);
  offer("unmute-site", { key: "action.unmute", shortcut: "X", act: () => acts.setMuted(code, false) }, muted);
  offer("raise-hand", { key: "action.hand", act: () => acts.setHand(code, true) }, here && row?.hand === false);
  offer("lower-hand", { key: "action.unhand", act: () => acts.setHand(code, false) }, row?.hand === true);
  offer("stop-content", { key: "action.stopcontent", act: () => acts.stopContent() }, stage?.content?.code === code);
  offer(
    "excuse-absence",
    { key: "action.excuse", shortcut: "V", act: () => onExcuse(site) },
    !here && row?.state !== "excused",
  );
  offer(
    "withdraw-excuse",
    { key: "action.unexcuse", act: () => acts.withdrawExcuse(code, row?.excuse ?? "") },
    row?.state === "excused",
  );

  if (room.mayMakeLinks()) items.push({ key: "action.links", shortcut: "D", act: () => onLinks(site) });

  const key = (event: KeyboardEvent) => {
    event.stopPropagation();
    const buttons = [...(menu.current?.querySelectorAll("button") ?? [])];
    const index = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) buttons[(index + step + buttons.length) % buttons.length]?.focus();
    else if (event.key === "Escape" || event.key === "Tab") onClose();
    else return;
    event.preventDefault();
  };

  return (
    <div class="veil" onPointerDown={(event) => event.target === event.currentTarget && onClose()}>
      <div
        ref={menu}
        class="menu"
        role="menu"
        aria-label={t("roster.actions", { site: site.name })}
        data-testid="row-menu"
        onKeyDown={key}
      >
        <p>
          {site.name}
          {why !== null && (
            <span class="why" data-testid="why">
              {why}
            </span>
          )}
        </p>
        {!(here && row?.camera === true) && <Still room={room} site={code} />}
        {items.map((item) => (
          <button
            key={item.key}
            role="menuitem"
            data-action={item.key}
            onClick={() => {
              onClose();
              item.act();
            }}
          >
            {t(item.key as "action.floor")}
            {item.shortcut !== undefined && <kbd>{item.shortcut}</kbd>}
          </button>
        ))}
      </div>
    </div>
  );
}
