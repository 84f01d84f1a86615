/** The map: districts → units → buildings → devices, each as bad as the worst in it. */
import { useMemo } from "preact/hooks";
import { language, number } from "../../shared/i18n";
import { told, useT } from "../i18n";
import { place, setQuery } from "../router";
import { Empty, PageHead, Skeleton, Since, StatusMark, STATUSES, useFleet, usePlaces, useRows, useStore } from "../ui";
import { City } from "./city";
import { District } from "./district";
import "./map.css";
import { gather, incidents, type IncidentHere } from "./model";

export function MapPage() {
  const t = useT();
  const fleet = useFleet();
  const rows = useRows();
  const places = usePlaces();
  const query = useStore(place, (now) => now.query);
  const chosen = query.get("district") ?? "";
  const unit = query.get("unit") ?? "";
  const health = useMemo(() => gather(rows.values()), [rows]);
  const open = useMemo(() => incidents(rows.values(), places), [rows, places]);
  const total = useMemo(() => {
    const counts = new Map<string, number>();
    for (const { status } of rows.values()) counts.set(status, (counts.get(status) ?? 0) + 1);
    return counts;
  }, [rows]);

  if (places === null) {
    return (
      <>
        <PageHead title={t("nav.map")} />
        <Skeleton />
      </>
    );
  }
  const district = places.district.get(chosen);
  return (
    <div class="map-page">
      <PageHead title={t("nav.map")} sub={t("map.sub", { n: rows.size, districts: places.districts.filter(({ code }) => fleet.covers(code)).length })}>
        <ul class="legend" aria-label={t("list.status")}>
          {STATUSES.map((status) => (
            <li key={status}>
              <StatusMark status={status} size={12} /> <strong>{number(total.get(status) ?? 0)}</strong>
            </li>
          ))}
        </ul>
      </PageHead>
      <City
        places={places}
        health={health}
        chosen={chosen}
        onOpen={(code, which) => setQuery({ district: code === chosen && which === null ? null : code, unit: which })}
      />
      <aside class="card beside" aria-live="off">
        {district === undefined ? (
          <Incidents all={open} />
        ) : (
          <District
            key={district.code}
            district={district}
            health={health.get(district.code)}
            covered={fleet.covers(district.code)}
            incidents={open.filter((one) => one.districts.has(district.code))}
            unit={unit}
            onClose={() => setQuery({ district: null, unit: null })}
          />
        )}
      </aside>
    </div>
  );
}

function Incidents({ all }: { readonly all: readonly IncidentHere[] }) {
  const t = useT();
  return (
    <>
      <header>
        <h2>{t("map.open")}</h2>
        <span class="aside">{number(all.length)}</span>
      </header>
      {all.length === 0 ? (
        <Empty title={t("map.quiet")} />
      ) : (
        <ul class="incident-list live">
          {all.map((one) => (
            <IncidentLine key={one.id} incident={one} />
          ))}
        </ul>
      )}
    </>
  );
}

export function IncidentLine({ incident }: { readonly incident: IncidentHere }) {
  const t = useT();
  const of = useStore(language);
  return (
    <li>
      <a href={`/fleet/incidents/${encodeURIComponent(incident.id)}`} data-incident={incident.id}>
        <span class="first">
          <StatusMark status={incident.worst} bare />
          <strong>{incident.where}</strong>
          <Since at={incident.since} />
        </span>
        <span class="second">
          {incident.devices > 1 && <strong>{t("map.devices", { n: incident.devices })}. </strong>}
          {incident.reason === null ? t(`status.${incident.worst}`) : told(of, incident.reason)}
        </span>
      </a>
    </li>
  );
}
