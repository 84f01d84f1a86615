/** The wall screen: how many are how, the map, and what is open; read from across the room, without anybody at the keys. */
import { useEffect, useMemo } from "preact/hooks";
import { clock, day, language, number } from "../../shared/i18n";
import type { Status } from "../../shared/fleet-wire";
import { useT } from "../i18n";
import { City } from "../map/city";
import { IncidentLine } from "../map/index";
import "../map/map.css";
import { gather, incidents } from "../map/model";
import { go } from "../router";
import { Skeleton, StatusMark, STATUSES, useFleet, useNow, usePlaces, useRows, useStore } from "../ui";
import "./wall.css";

const SHOWN = 12;

export function WallPage() {
  const t = useT();
  const fleet = useFleet();
  const rows = useRows();
  const places = usePlaces();
  const stale = useStore(fleet.freshness, ({ stale_since }) => stale_since);
  const health = useMemo(() => gather(rows.values()), [rows]);
  const open = useMemo(() => incidents(rows.values(), places), [rows, places]);
  const counts = useMemo(() => {
    const all = new Map<Status, number>();
    for (const { status } of rows.values()) all.set(status, (all.get(status) ?? 0) + 1);
    return all;
  }, [rows]);

  useEffect(() => {
    const key = (event: KeyboardEvent) => event.key === "Escape" && go("/fleet/map");
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, []);

  return (
    <div class="wall" data-stale={stale !== null} data-testid="wall">
      <header>
        <h1>{t("wall.title")}</h1>
        {stale !== null && (
          <p class="stale" role="alert" data-testid="stale">
            {t("feed.stale", { time: clock(stale) })}
          </p>
        )}
        <Clock />
        <button
          class="btn quiet"
          onClick={() => (document.fullscreenElement === null ? void document.documentElement.requestFullscreen() : void document.exitFullscreen())}
        >
          {t("wall.full")}
        </button>
        <a class="btn quiet" href="/fleet/map">
          {t("wall.leave")}
        </a>
      </header>
      <ul class="numbers live">
        {STATUSES.map((status) => (
          <li key={status} class={`s-${status}`} data-none={(counts.get(status) ?? 0) === 0} data-count={status}>
            <strong>{number(counts.get(status) ?? 0)}</strong>
            <StatusMark status={status} size={22} />
          </li>
        ))}
      </ul>
      {places === null ? (
        <Skeleton />
      ) : (
        <City places={places} health={health} chosen="" onOpen={(district) => go(`/fleet/map?district=${district}`)} />
      )}
      <section class="open live" aria-label={t("map.open")}>
        <h2>
          {t("map.open")} <span>{number(open.length)}</span>
        </h2>
        {open.length === 0 ? (
          <p class="quiet">{t("map.quiet")}</p>
        ) : (
          <ul class="incident-list">
            {open.slice(0, SHOWN).map((one) => (
              <IncidentLine key={one.id} incident={one} />
            ))}
          </ul>
        )}
      </section>
    </div>
  );
}

function Clock() {
  const now = useNow();
  const of = useStore(language);
  return (
    <p class="clock">
      <span>{day(now, of)}</span>
      <strong>{clock(now)}</strong>
    </p>
  );
}
