/** Facts in groups, where it stands, who it is, and the course of what is measured. */
import { useState } from "preact/hooks";
import type { DeviceAnswer } from "../../shared/fleet-wire";
import { clock, language } from "../../shared/i18n";
import { useT } from "../i18n";
import { unitWords } from "../place-words";
import { Facts, Mark, Moment, Panel, usePlaces, useStore } from "../ui";
import { Course } from "./course";
import { EditDevice } from "./edit";
import { groups, metricsOf } from "./facts";
import { hoursWords } from "./hours";

export function Overview({ device, again }: { readonly device: DeviceAnswer; readonly again: () => void }) {
  return (
    <div class="overview">
      <div class="left">
        <Now device={device} />
        <Where device={device} again={again} />
        <Identity device={device} />
      </div>
      <Course id={device.row.id} enrolled_at={device.enrolled_at} metrics={metricsOf(device.facts)} thresholds={device.thresholds} />
    </div>
  );
}

function Now({ device }: { readonly device: DeviceAnswer }) {
  const t = useT();
  const of = useStore(language);
  return (
    <Panel
      title={t("device.facts")}
      actions={<span class="aside">{device.facts_at === null ? "" : t("device.facts.at", { time: clock(device.facts_at, true) })}</span>}
      class="now live"
      testid="facts"
    >
      {device.facts === null && <p class="aside">{t("device.facts.none")}</p>}
      {groups(t, of, device).map((group) => (
        <section key={group.id} data-group={group.id}>
          <h3>{group.title}</h3>
          <dl class="facts">
            {group.facts.map((fact) => (
              <div key={fact.id} data-fact={fact.id} data-tone={fact.tone ?? ""}>
                <dt>{fact.label}</dt>
                <dd title={fact.limit ?? undefined}>
                  {fact.tone === null || fact.tone === "quiet" ? fact.value : <Mark tone={fact.tone}>{fact.value}</Mark>}
                  {fact.limit !== null && <span class="limit">{fact.limit}</span>}
                </dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </Panel>
  );
}

function Where({ device, again }: { readonly device: DeviceAnswer; readonly again: () => void }) {
  const t = useT();
  const places = usePlaces();
  const [editing, setEditing] = useState(false);
  const { place: at, row } = device;
  const { contact } = at;
  const or = (value: string) => (value === "" ? null : value);
  return (
    <Panel
      title={t("device.place")}
      actions={
        device.may.includes("edit-device") ? (
          <button class="btn small" data-testid="edit-device" onClick={() => setEditing(true)}>
            {t("device.edit")}
          </button>
        ) : null
      }
      testid="place"
    >
      <Facts
        items={[
          [t("place.unit"), unitWords(places, row)],
          [t("place.building"), at.building === "" ? t("list.seat") : at.building],
          [t("place.floor"), or(at.floor)],
          [t("place.note"), or(at.note)],
          [t("place.contact"), or([contact.name, contact.phone, contact.email].filter((part) => part !== "").join(" · "))],
          [t("place.hours"), `${hoursWords(t, at.hours)} (${t(device.open_now ? "place.open" : "place.closed")})`],
          [t("place.camera"), or(at.camera)],
          [t("place.mm"), at.mm_per_px === null ? null : String(at.mm_per_px).replace(".", ",")],
          [t("place.reach"), at.low_reach_mm === null ? null : String(at.low_reach_mm)],
        ]}
      />
      {editing && <EditDevice device={device} again={again} onClose={() => setEditing(false)} />}
    </Panel>
  );
}

function Identity({ device }: { readonly device: DeviceAnswer }) {
  const t = useT();
  const { row } = device;
  return (
    <Panel title={t("device.identity")}>
      <Facts
        items={[
          [t("device.kind"), t(`kind.${row.kind}`)],
          [t("device.state"), t(`state.${row.state}`)],
          [t("device.words"), device.fingerprint_words === "" ? null : inPairs(device.fingerprint_words)],
          [t("device.hardware"), device.hardware === "" ? null : device.hardware],
          [t("device.enrolled"), <Moment at={device.enrolled_at} />],
          [t("device.id"), <code>{row.id}</code>],
        ]}
      />
    </Panel>
  );
}

/** Each of the four words has two syllables. */
function inPairs(words: string): string {
  return words.replace(/(\S+ \S+) /g, "$1 · ");
}
