/** One device: what is wrong, the numbers behind it, and what can be done. */
import type { ComponentChildren } from "preact";
import type { DeviceAnswer } from "../../shared/fleet-wire";
import { language } from "../../shared/i18n";
import { Chevron } from "../../shared/icons";
import { DeviceCommands, DeviceScreenshots } from "../commands";
import { told, useT } from "../i18n";
import { whereWords } from "../place-words";
import { place, setQuery } from "../router";
import { Ago, Empty, Problem, Since, Skeleton, StatusMark, Tabs, Tag, useFleet, useLive, useNow, usePlaces, useRow, useStore } from "../ui";
import { codeOf } from "../../shared/problem";
import { Actions } from "./actions";
import "./device.css";
import { Log } from "./log";
import { Overview } from "./overview";
import { Sessions } from "./sessions";
import { momentWords } from "../ui/words";

const FACTS_EVERY_S = 15;
const TABS = ["overview", "commands", "screen", "log", "sessions"] as const;
type Tab = (typeof TABS)[number];

export function DevicePage({ id }: { readonly id: string }) {
  const t = useT();
  const fleet = useFleet();
  const row = useRow(id);
  const now = useNow();
  const tick = `${row?.version ?? 0} ${Math.floor(now / FACTS_EVERY_S)}`;
  const { value, error, again } = useLive(
    () => fleet.ask<DeviceAnswer>(`/devices/${encodeURIComponent(id)}`),
    [id],
    (changed) => changed.commands.includes(id),
    tick,
  );
  return (
    <div class="device">
      <nav aria-label={t("device.back")}>
        <a class="back" href="/fleet">
          <Chevron size={14} /> {t("device.back")}
        </a>
      </nav>
      {value !== undefined ? (
        codeOf(error) === "unknown-device" ? (
          <Empty title={t("device.gone")} />
        ) : (
          <Device device={row === undefined ? value : { ...value, row }} again={again} />
        )
      ) : error === null ? (
        <Skeleton />
      ) : (
        <Problem error={error} again={again} />
      )}
    </div>
  );
}

function Device({ device, again }: { readonly device: DeviceAnswer; readonly again: () => void }) {
  const t = useT();
  const tab = useStore(place, ({ query }): Tab => TABS.find((one) => one === query.get("tab")) ?? "overview");
  const may = new Set(device.may);
  const tabs = TABS.filter((one) => one !== "screen" || may.has("see-screenshot"));
  const parts: Readonly<Record<Tab, () => ComponentChildren>> = {
    overview: () => <Overview device={device} again={again} />,
    commands: () => <DeviceCommands device={device} />,
    screen: () => <DeviceScreenshots device={device} />,
    log: () => <Log id={device.row.id} />,
    sessions: () => <Sessions id={device.row.id} />,
  };
  return (
    <>
      <Head device={device} again={again} />
      <Tabs
        label={t("device.tabs")}
        tabs={tabs.map((one) => ({ id: one, label: t(`device.tab.${one}`) }))}
        current={tabs.includes(tab) ? tab : "overview"}
        onChange={(next) => setQuery({ tab: next === "overview" ? null : next })}
      />
      <div class="tab-panel" role="tabpanel" data-tab-panel={tab}>
        {(tabs.includes(tab) ? parts[tab] : parts.overview)()}
      </div>
    </>
  );
}

/** What is wrong in a sentence, since when, where, and the buttons. */
function Head({ device, again }: { readonly device: DeviceAnswer; readonly again: () => void }) {
  const t = useT();
  const of = useStore(language);
  const now = useNow();
  const places = usePlaces();
  const { row, reasons, maintenance_until } = device;
  const [first, ...others] = reasons;
  const sentence = first ?? row.reason ?? null;
  return (
    <header class={`device-head s-${row.status}`} data-testid="device-head">
      <div class="who">
        <h1>{row.name}</h1>
        <p class="aside">{whereWords(places, row)}</p>
      </div>
      <Actions device={device} again={again} />
      <div class="is live">
        <p class="status">
          <StatusMark status={row.status} size={20} />
          <Since at={row.since} />
          {row.flapping === true && <Tag tone="warn">{t("list.flapping")}</Tag>}
          {row.in_session === true && <Tag tone="info">{t("list.session")}</Tag>}
          {row.incident != null && <a href={`/fleet/incidents/${encodeURIComponent(row.incident)}`}>{t("device.incident")}</a>}
        </p>
        <p class="sentence" data-testid="sentence">
          {sentence !== null ? told(of, sentence) : row.status === "ok" ? t("device.ok") : ""}
        </p>
        {others.length > 0 && (
          <ul class="others" aria-label={t("device.also")}>
            {others.map((one) => (
              <li key={one.code}>{told(of, one)}</li>
            ))}
          </ul>
        )}
        {device.state_reason !== "" && row.state !== "active" && (
          <p class="aside">
            {t("device.state.reason")}: {device.state_reason}
          </p>
        )}
        {maintenance_until !== null && maintenance_until > now && (
          <p class="notice">{t("device.maintenance.until", { time: momentWords(of, maintenance_until, now) })}</p>
        )}
      </div>
      <p class="seen aside live">
        {t("device.seen")}: <Ago at={row.seen_at} /> ({t("device.every", { n: device.beat_every_s })})
      </p>
    </header>
  );
}
