/** A device's facts in groups, each in words, with the threshold it is held against. Pure. */
import type { DeviceAnswer, Facts, Threshold } from "../../shared/fleet-wire";
import type { Language } from "../../shared/i18n";
import type { Translate } from "../i18n";
import { bytesWords, valueWords } from "../units";
import { span } from "../ui/words";
import type { Tone } from "../ui/status";

export interface Fact {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly tone: Tone | null; // beyond a threshold, or bad in itself
  readonly limit: string | null; // the threshold in words
}

export interface Group {
  readonly id: string;
  readonly title: string;
  readonly facts: readonly Fact[];
}

export function isBad({ enter, above }: Threshold, value: number): boolean {
  return above ? value >= enter : value <= enter;
}

/** The threshold that is passed, the worse of two; else the first to be met. */
export function thresholdOf(all: readonly Threshold[], metric: string, value: number | null): Threshold | null {
  const mine = all.filter((one) => one.metric === metric);
  const passed = value === null ? [] : mine.filter((one) => isBad(one, value));
  return passed.find((one) => one.status === "faulty") ?? passed[0] ?? mine.find((one) => one.status === "degraded") ?? mine[0] ?? null;
}

const PAGES = ["attract", "session", "wait", "pairing", "out-of-service", "sent-away"] as const;

/** Which page it shows, in words; a newer agent's by its own name. */
function pageWords(t: Translate, page: string): string {
  const known = PAGES.find((one) => one === page);
  return known === undefined ? page : t(`shown.${known}`);
}

export function groups(t: Translate, of: Language, device: DeviceAnswer): readonly Group[] {
  const facts = device.facts;
  if (facts === null) return [];
  const measured = (metric: Metric, value: number | null | undefined, shown?: string): Fact | null => {
    if (value == null) return null;
    const limit = thresholdOf(device.thresholds, metric, value);
    const bad = limit !== null && isBad(limit, value);
    return {
      id: metric,
      label: t(`metric.${metric}`),
      value: shown ?? valueWords(t, of, metric, value),
      tone: !bad ? null : limit.status === "faulty" ? "bad" : "warn",
      limit: limit === null ? null : limitWords(t, of, limit),
    };
  };
  const said = (id: string, label: string, value: string | null, tone: Tone | null = null): Fact | null =>
    value === null ? null : { id, label, value, tone, limit: null };
  const yes = (value: boolean | null | undefined, good: boolean): readonly [string | null, Tone | null] =>
    value == null ? [null, null] : [t(value ? "ui.yes" : "ui.no"), value === good ? null : "warn"];

  const { painted, camera, printer, disk, load, network, versions } = facts;
  const all: readonly (readonly [GroupId, readonly (Fact | null)[]])[] = [
    [
      "screen",
      [
        measured("paint_age_s", painted?.frame_age_s),
        said("changed", t("fact.changed"), painted?.changed_age_s == null ? null : span(t, painted.changed_age_s)),
        said("page", t("fact.page"), painted === null || painted.page === "" ? null : pageWords(t, painted.page)),
        said("on", t("fact.on"), painted?.on == null ? null : t(painted.on ? "fact.on.yes" : "fact.on.no"), painted?.on === false ? "warn" : null),
        said("touch", t("fact.touch"), facts.touch_ok == null ? null : t(facts.touch_ok ? "fact.touch.ok" : "fact.touch.bad"), facts.touch_ok === false ? "bad" : null),
        said("restarts", t("fact.restarts"), painted === null ? null : String(facts.restarts)),
      ],
    ],
    [
      "camera",
      camera === null
        ? [measured("microphone_share", facts.microphone_share)]
        : [
            said("camera", t("fact.camera"), t(`camera.${camera.state}`), camera.state === "ok" ? null : camera.state === "none" ? "quiet" : "bad"),
            said("moving", t("fact.moving"), ...yes(camera.moving, true)),
            measured("camera_sharpness", camera.sharpness),
            measured("camera_brightness", camera.brightness),
            measured("microphone_share", facts.microphone_share),
          ],
    ],
    [
      "printer",
      [
        said(
          "printer",
          t("fact.printer"),
          printer === null ? null : t(`printer.${printer.state}`),
          printer === null || printer.state === "ok" ? null : printer.state === "paper-low" ? "warn" : "bad",
        ),
      ],
    ],
    [
      "machine",
      load === null
        ? []
        : [
            measured("temperature_c", load.temperature_c),
            measured("cpu_share", load.cpu_share),
            measured("memory_share", load.memory_share),
            said("undervoltage", t("fact.undervoltage"), ...yes(load.undervoltage, false)),
            said("uptime", t("fact.uptime"), span(t, load.uptime_s)),
          ],
    ],
    [
      "disk",
      disk === null
        ? []
        : [
            measured(
              "disk_free_share",
              disk.free_share,
              `${valueWords(t, of, "disk_free_share", disk.free_share)} (${bytesWords(of, disk.free_bytes)})`,
            ),
            said("writable", t("fact.writable"), t(disk.writable ? "ui.yes" : "ui.no"), disk.writable ? null : "bad"),
            measured("disk_wear_share", disk.wear_share),
            said("disk-errors", t("fact.disk.errors"), String(disk.errors), disk.errors > 0 ? "warn" : null),
          ],
    ],
    [
      "network",
      [
        measured("rtt_ms", network.rtt_ms),
        measured("loss_share", network.loss_share),
        said("network", t("fact.network"), t(`network.${network.kind}`)),
        measured("outbox_depth", facts.outbox_depth),
      ],
    ],
    [
      "software",
      [
        said("agent", t("fact.agent"), versions.agent),
        said("content", t("fact.content"), versions.content === "" ? t("ui.none") : versions.content),
        said("configuration", t("fact.configuration"), versions.configuration === "" ? t("ui.none") : versions.configuration),
        said("clock", t("fact.clock"), t(`clock.${facts.clock}`), facts.clock === "unset" ? "warn" : null),
        said("session", t("fact.session"), t(facts.in_session ? "ui.yes" : "ui.no")),
        said("out", t("fact.out"), facts.out_of_service ? t("ui.yes") : null, "warn"),
      ],
    ],
  ];
  return all
    .map(([id, found]) => ({ id, title: t(`facts.${id}`), facts: found.filter((fact) => fact !== null) }))
    .filter(({ facts: some }) => some.length > 0);
}

/** "từ 80 °C trở lên". */
export function limitWords(t: Translate, of: Language, limit: Threshold): string {
  const value = valueWords(t, of, limit.metric, limit.enter);
  return limit.above ? t("limit.above", { value }) : t("limit.below", { value });
}

type GroupId = "screen" | "camera" | "printer" | "machine" | "disk" | "network" | "software";

/** What is measured and kept as history, in the order of the charts. */
export const METRICS = [
  "rtt_ms",
  "loss_share",
  "paint_age_s",
  "temperature_c",
  "cpu_share",
  "memory_share",
  "disk_free_share",
  "disk_wear_share",
  "camera_sharpness",
  "camera_brightness",
  "microphone_share",
  "outbox_depth",
] as const;

export type Metric = (typeof METRICS)[number];

/** Which of them this device knows. */
export function metricsOf(facts: Facts | null): readonly Metric[] {
  if (facts === null) return [];
  const known: Readonly<Record<Metric, number | null | undefined>> = {
    rtt_ms: facts.network.rtt_ms,
    loss_share: facts.network.loss_share,
    paint_age_s: facts.painted?.frame_age_s,
    temperature_c: facts.load?.temperature_c,
    cpu_share: facts.load?.cpu_share,
    memory_share: facts.load?.memory_share,
    disk_free_share: facts.disk?.free_share,
    disk_wear_share: facts.disk?.wear_share,
    camera_sharpness: facts.camera?.sharpness,
    camera_brightness: facts.camera?.brightness,
    microphone_share: facts.microphone_share,
    outbox_depth: facts.outbox_depth,
  };
  return METRICS.filter((metric) => known[metric] != null);
}
