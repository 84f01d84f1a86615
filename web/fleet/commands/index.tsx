import { useState } from "preact/hooks";
import type { ActsAnswer, BulksAnswer, CommandRow, CommandsAnswer, DeviceAnswer, DeviceRow } from "../../shared/fleet-wire";
import { language } from "../../shared/i18n";
import { told, useT } from "../i18n";
import { place, setQuery } from "../router";
import { Empty, Moment, PageHead, Panel, Problem, Skeleton, Tabs, useFleet, useLive, useStore } from "../ui";
import { AskCommand } from "./ask";
import { Bulk } from "./bulk";
import { Bulks, OneBulk } from "./bulks";
import "./commands.css";
import { Decide } from "./decide";
import { Evidence } from "./evidence";
import { CommandList } from "./list";
import { actWords, type ActName } from "./words";

const TABS = ["approvals", "open", "past", "bulks"] as const;
type Tab = (typeof TABS)[number];

/** Every command of the fleet. */
export function CommandsPage() {
  const t = useT();
  const fleet = useFleet();
  const tab = useStore(place, ({ query }): Tab => TABS.find((one) => one === query.get("tab")) ?? "open");
  const bulk = useStore(place, ({ query }) => query.get("bulk"));
  const { value: waiting } = useLive(
    () => fleet.ask<CommandsAnswer>("/commands?state=awaiting-approval&limit=100"),
    [],
    ({ commands }) => commands.length > 0,
  );
  const approvals = waiting?.commands.length;
  return (
    <div class="commands">
      <PageHead title={t("nav.commands")} />
      <Tabs
        label={t("commands.tabs")}
        tabs={TABS.map((id) => ({
          id,
          label: t(`commands.tab.${id}`),
          ...(id === "approvals" && approvals !== undefined ? { count: approvals } : {}),
        }))}
        current={tab}
        onChange={(next) => setQuery({ tab: next === "open" ? null : next, bulk: null })}
      />
      <div role="tabpanel">
        {tab === "approvals" ? (
          <Approvals />
        ) : tab === "bulks" ? (
          bulk === null ? (
            <Bulks />
          ) : (
            <OneBulk id={bulk} />
          )
        ) : (
          <CommandList key={tab} path={`/commands?state=${tab}`} none={t(`commands.none.${tab}`)} testid={`commands-${tab}`} />
        )}
      </div>
    </div>
  );
}

/** What waits for a second person: bulks as one, then single commands. */
function Approvals() {
  const t = useT();
  const fleet = useFleet();
  const { value, error, again } = useLive(
    async () => {
      const [single, bulks] = await Promise.all([
        fleet.ask<CommandsAnswer>("/commands?state=awaiting-approval&limit=100"),
        fleet.ask<BulksAnswer>("/bulks"),
      ]);
      return {
        single: single.commands.filter((one) => one.bulk === null),
        bulks: bulks.bulks.filter((one) => (one.counts["awaiting-approval"] ?? 0) > 0),
      };
    },
    [],
    ({ commands }) => commands.length > 0,
  );
  if (value === undefined) return error === null ? <Skeleton rows={4} /> : <Problem error={error} again={again} />;
  if (value.single.length + value.bulks.length === 0) return <Empty title={t("commands.none.approvals")} />;
  return (
    <div class="approvals" data-testid="approvals">
      {[...value.bulks, ...value.single].map((one) => (
        <Panel
          key={one.id}
          testid="approval"
          title={
            <>
              {actWords(t, one.do)} · {"many" in one ? t("bulk.of", { n: one.many }) : one.device_name}
            </>
          }
          actions={<Decide command={one} again={again} small />}
        >
          <p>
            {one.by_name} · <Moment at={one.created_at} /> · {one.why}
          </p>
          <p class="aside">{t(`does.${one.do.act}`)}</p>
        </Panel>
      ))}
    </div>
  );
}

const QUICK: readonly ActName[] = ["take-screenshot", "restart-page", "check-line", "test-camera"];

/** The tab of the device's page: commands past and upcoming, and asking for one. */
export function DeviceCommands({ device }: { readonly device: DeviceAnswer }) {
  const t = useT();
  const fleet = useFleet();
  const [first, setFirst] = useState<ActName | null>(null);
  const { value: acts } = useLive(() => fleet.ask<ActsAnswer>("/acts"), []);
  const { id } = device.row;
  const path = `/devices/${encodeURIComponent(id)}/commands`;
  return (
    <div class="device-commands">
      {device.may.includes("command") && device.row.state === "active" && (
        <div class="quick">
          <button class="btn primary" disabled={acts === undefined} data-testid="ask" onClick={() => setFirst("restart-page")}>
            {t("commands.ask")}
          </button>
          {QUICK.map((act) => (
            <button key={act} class="btn" disabled={acts === undefined} data-quick={act} onClick={() => setFirst(act)}>
              {t(`act.${act}`)}
            </button>
          ))}
        </div>
      )}
      <Panel title={t("commands.upcoming")}>
        <CommandList path={`${path}?state=open`} device={id} none={t("commands.none.open")} testid="upcoming" />
      </Panel>
      <Panel title={t("commands.past")}>
        <CommandList path={`${path}?state=past`} device={id} none={t("commands.none.past")} testid="past" />
      </Panel>
      {first !== null && acts !== undefined && (
        <AskCommand device={device.row} acts={acts} first={first} onAsked={() => undefined} onClose={() => setFirst(null)} />
      )}
    </div>
  );
}

interface BulkProps {
  /** What was chosen in the list. */
  readonly devices: readonly DeviceRow[];
  readonly onClose: () => void;
}

/** A dialogue: one command for many devices, with a dry run. */
export function BulkCommands(props: BulkProps) {
  return <Bulk {...props} />;
}

/** The tab of the device's page: pictures of its screen, each look audited. */
export function DeviceScreenshots({ device }: { readonly device: DeviceAnswer }) {
  const t = useT();
  const of = useStore(language);
  const fleet = useFleet();
  const [asking, setAsking] = useState(false);
  const [shown, setShown] = useState<CommandRow | null>(null);
  const { value: acts } = useLive(() => fleet.ask<ActsAnswer>("/acts"), []);
  const { id } = device.row;
  const { value, error, again } = useLive(
    () => fleet.ask<CommandsAnswer>(`/devices/${encodeURIComponent(id)}/commands?act=take-screenshot&limit=50`),
    [id],
    ({ commands }) => commands.includes(id),
  );
  const file = shown?.evidence?.find(({ kind }) => kind === "screenshot");
  return (
    <div class="device-commands">
      {device.may.includes("command") && device.row.state === "active" && (
        <div class="quick">
          <button class="btn primary" disabled={acts === undefined} data-testid="shoot" onClick={() => setAsking(true)}>
            {t("act.take-screenshot")}…
          </button>
          <span class="aside">{t("does.take-screenshot")}</span>
        </div>
      )}
      {value === undefined ? (
        error === null ? (
          <Skeleton rows={3} />
        ) : (
          <Problem error={error} again={again} />
        )
      ) : value.commands.length === 0 ? (
        <Empty title={t("commands.shots.none")} />
      ) : (
        <ul class="shots" data-testid="shots">
          {value.commands.map((command) => (
            <li key={command.id} class="card" data-state={command.state}>
              <span>
                <Moment at={command.ended_at ?? command.created_at} /> · {command.by_name} · {command.why}
              </span>
              <span class="aside">
                {command.reason !== null ? told(of, command.reason) : t(`command.${command.state}`)}
              </span>
              {(command.evidence ?? []).some(({ kind }) => kind === "screenshot") && (
                <button class="btn small" data-testid="look-at-screenshot" onClick={() => setShown(command)}>
                  {t("commands.evidence.screenshot")}
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
      {asking && acts !== undefined && (
        <AskCommand device={device.row} acts={acts} first="take-screenshot" onAsked={again} onClose={() => setAsking(false)} />
      )}
      {shown !== null && file !== undefined && <Evidence command={shown} file={file} onClose={() => setShown(null)} />}
    </div>
  );
}
