/** What can be decided about a device: maintenance, quarantine, retirement; each named before it is done. */
import { useState } from "preact/hooks";
import type { DeviceAnswer } from "../../shared/fleet-wire";
import { useT } from "../i18n";
import { go, setQuery } from "../router";
import { Confirm, Field, Menu, toast, useAct, useFleet, useNow, type MenuItem } from "../ui";
import { span } from "../ui/words";

const MINUTES = [30, 60, 120, 240, 480, 1_440, 4_320, 10_080] as const;

type Asking = "maintenance" | "quarantine" | "release" | "retire";

export function Actions({ device, again }: { readonly device: DeviceAnswer; readonly again: () => void }) {
  const t = useT();
  const fleet = useFleet();
  const now = useNow();
  const { act } = useAct();
  const [asking, setAsking] = useState<Asking | null>(null);
  const may = new Set(device.may);
  const path = `/devices/${encodeURIComponent(device.row.id)}`;
  const maintained = device.maintenance_until !== null && device.maintenance_until > now;
  const quarantined = device.row.state === "quarantined";

  const edit = (minutes: number) => fleet.ask(path, { method: "PATCH", body: { maintenance_minutes: minutes } }).then(again);
  const items: MenuItem[] = [];
  if (may.has("edit-device")) {
    items.push(
      maintained
        ? { id: "end-maintenance", label: t("device.maintenance.end"), act: () => act(() => edit(0), t("device.maintenance.ended")) }
        : { id: "maintenance", label: t("device.maintenance"), act: () => setAsking("maintenance") },
    );
  }
  if (may.has("quarantine")) {
    items.push(
      quarantined
        ? { id: "release", label: `${t("device.release")}…`, act: () => setAsking("release") }
        : { id: "quarantine", label: `${t("device.quarantine")}…`, act: () => setAsking("quarantine"), danger: true },
    );
  }
  if (may.has("quarantine") && device.row.state === "active") {
    items.push({ id: "rotate-key", label: t("device.rotate"), act: () => act(() => fleet.ask(`${path}/rotate-key`, { method: "POST" }), t("device.rotated")) });
  }
  if (may.has("retire")) items.push({ id: "retire", label: `${t("device.retire")}…`, act: () => setAsking("retire"), danger: true });

  const close = () => setAsking(null);
  return (
    <div class="actions">
      {may.has("command") && (
        <button class="btn primary" data-testid="to-commands" onClick={() => setQuery({ tab: "commands" })}>
          {t("list.bulk.command")}
        </button>
      )}
      {items.length > 0 && <Menu label={t("device.actions")} items={items} testid="device-actions" />}
      {asking === "maintenance" && <Maintenance onDo={edit} onClose={close} />}
      {asking !== null && asking !== "maintenance" && (
        <Why
          key={asking}
          title={t(`device.${asking}`)}
          text={asking === "retire" ? t("device.retire.text", { name: device.row.name }) : t(`device.${asking}.text`)}
          danger={asking !== "release"}
          onDo={async (why) => {
            await fleet.ask(`${path}/${asking}`, { method: "POST", body: { why } });
            if (asking === "retire") go("/fleet");
            else again();
            toast(`${t(`device.${asking}`)}: ${device.row.name}`);
          }}
          onClose={close}
        />
      )}
    </div>
  );
}

function Maintenance({ onDo, onClose }: { readonly onDo: (minutes: number) => Promise<void>; readonly onClose: () => void }) {
  const t = useT();
  const [minutes, setMinutes] = useState(60);
  return (
    <Confirm
      title={t("device.maintenance.title")}
      verb={t("device.maintenance.begin")}
      onDo={() => onDo(minutes)}
      onClose={onClose}
      testid="maintenance"
    >
      <p>{t("device.maintenance.text")}</p>
      <Field label={t("device.maintenance.for")}>
        <select class="input" value={String(minutes)} data-first onChange={(event) => setMinutes(Number(event.currentTarget.value))}>
          {MINUTES.map((one) => (
            <option key={one} value={String(one)}>
              {span(t, one * 60)}
            </option>
          ))}
        </select>
      </Field>
    </Confirm>
  );
}

interface WhyProps {
  readonly title: string;
  readonly text: string;
  readonly danger: boolean;
  readonly onDo: (why: string) => Promise<void>;
  readonly onClose: () => void;
}

/** A decision that is written into the audit with its reason. */
function Why({ title, text, danger, onDo, onClose }: WhyProps) {
  const t = useT();
  const [why, setWhy] = useState("");
  return (
    <Confirm title={title} verb={title} danger={danger} disabled={why.trim() === ""} onDo={() => onDo(why.trim())} onClose={onClose} testid="why">
      <p>{text}</p>
      <Field label={t("device.why")}>
        <input class="input" value={why} maxLength={200} required data-first onInput={(event) => setWhy(event.currentTarget.value)} />
      </Field>
    </Confirm>
  );
}
