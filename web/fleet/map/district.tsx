/** One district beside the map: its units, the worst first; one of them opened shows its buildings and devices. */
import { useMemo } from "preact/hooks";
import { language, number } from "../../shared/i18n";
import { Chevron, Cross } from "../../shared/icons";
import type { DistrictRef, Status } from "../../shared/fleet-wire";
import { told, useT } from "../i18n";
import { setQuery } from "../router";
import { Empty, RANK, StatusMark, STATUSES, usePlaces, useStore } from "../ui";
import { IncidentLine } from "./index";
import { buildings, type DistrictHealth, type IncidentHere, type UnitHealth } from "./model";

interface Props {
  readonly district: DistrictRef;
  readonly health: DistrictHealth | undefined;
  readonly covered: boolean;
  readonly incidents: readonly IncidentHere[];
  readonly unit: string;
  readonly onClose: () => void;
}

export function District({ district, health, covered, incidents, unit, onClose }: Props) {
  const t = useT();
  const places = usePlaces();
  const units = useMemo(
    () =>
      [...(health?.units.values() ?? [])].sort(
        (a, b) =>
          (RANK.get(a.worst) ?? 0) - (RANK.get(b.worst) ?? 0) ||
          ((places?.unit.get(a.code)?.sort ?? a.code) < (places?.unit.get(b.code)?.sort ?? b.code) ? -1 : 1),
      ),
    [health, places],
  );
  return (
    <>
      <header>
        <h2>{district.name}</h2>
        <a class="btn small" href={`/fleet?district=${district.code}`}>
          {t("map.list")}
        </a>
        <button class="btn quiet small icon-only" aria-label={t("ui.close")} title={t("ui.close")} onClick={onClose}>
          <Cross size={16} />
        </button>
      </header>
      {!covered ? (
        <Empty title={t("map.notyours.text")} />
      ) : units.length === 0 ? (
        <Empty title={t("map.nothing.text")} />
      ) : (
        <div class="inside live">
          {incidents.length > 0 && (
            <ul class="incident-list">
              {incidents.map((one) => (
                <IncidentLine key={one.id} incident={one} />
              ))}
            </ul>
          )}
          <ul class="units">
            {units.map((one) => (
              <Unit key={one.code} unit={one} name={places?.unit.get(one.code)?.name ?? one.code} open={one.code === unit} />
            ))}
          </ul>
        </div>
      )}
    </>
  );
}

function Unit({ unit, name, open }: { readonly unit: UnitHealth; readonly name: string; readonly open: boolean }) {
  const t = useT();
  const of = useStore(language);
  return (
    <li data-unit-row={unit.code}>
      <button class="unit" aria-expanded={open} onClick={() => setQuery({ unit: open ? null : unit.code })}>
        <StatusMark status={unit.worst} bare />
        <span class="name">{name}</span>
        <Counts counts={unit.counts} />
        <Chevron size={14} />
      </button>
      {open &&
        buildings(unit).map(({ building, devices, worst: is }) => (
          <section key={building} class="building">
            <h3>
              <StatusMark status={is} bare size={12} />
              {building === "" ? t("list.seat") : building}
            </h3>
            <ul>
              {devices.map((row) => (
                <li key={row.id}>
                  <a href={`/fleet/devices/${encodeURIComponent(row.id)}`} data-device={row.id}>
                    <StatusMark status={row.status} bare size={12} />
                    <span>
                      {row.name}
                      {row.reason != null && <span class="aside">{told(of, row.reason)}</span>}
                    </span>
                  </a>
                </li>
              ))}
            </ul>
          </section>
        ))}
    </li>
  );
}

function Counts({ counts }: { readonly counts: ReadonlyMap<Status, number> }) {
  return (
    <span class="counts">
      {STATUSES.filter((status) => (counts.get(status) ?? 0) > 0).map((status) => (
        <span key={status} class={`s-${status}`}>
          <StatusMark status={status} bare size={11} /> {number(counts.get(status) ?? 0)}
        </span>
      ))}
    </span>
  );
}
