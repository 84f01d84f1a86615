import "./setting";
import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../fleet/device/limits";
import { groups, metricsOf, thresholdOf } from "../fleet/device/facts";
import { hoursWords, isSound, minuteOf, PRESETS, same, timeOf } from "../fleet/device/hours";
import { byDay, counted } from "../fleet/device/session-days";
import { translator } from "../fleet/i18n";
import { axisWords, bytesWords, valueWords } from "../fleet/units";
import type { DeviceAnswer, Facts, Threshold } from "../shared/fleet-wire";

const VI = translator("vi");

const FACTS: Facts = {
  versions: { agent: "0.1.0", content: "", configuration: "" },
  disk: { free_share: 0.01, free_bytes: 320_000_000, writable: true, wear_share: null, errors: 0 },
  load: { cpu_share: 0.3, memory_share: 0.5, temperature_c: 81, undervoltage: null, uptime_s: 90_000 },
  network: { rtt_ms: 42, loss_share: null, kind: "wired" },
  clock: "synced",
  painted: null,
  touch_ok: null,
  camera: null,
  microphone_share: null,
  printer: null,
  in_session: false,
  outbox_depth: 0,
  out_of_service: false,
  restarts: 0,
};
const THRESHOLDS: readonly Threshold[] = [
  { metric: "temperature_c", enter: 95, leave: 88, above: true, status: "faulty" },
  { metric: "temperature_c", enter: 80, leave: 75, above: true, status: "degraded" },
  { metric: "disk_free_share", enter: 0.02, leave: 0.04, above: false, status: "faulty" },
  { metric: "disk_free_share", enter: 0.1, leave: 0.12, above: false, status: "degraded" },
];

function device(facts: Facts | null): DeviceAnswer {
  return { facts, thresholds: THRESHOLDS } as unknown as DeviceAnswer;
}

test("what a device cannot know is not shown, and a group of nothing neither", () => {
  const found = groups(VI, "vi", device(FACTS));

  assert.deepEqual(found.map(({ id }) => id), ["machine", "disk", "network", "software"]);
  assert.equal(found[0]?.facts.some(({ id }) => id === "undervoltage"), false);
  assert.deepEqual(groups(VI, "vi", device(null)), []);
});

test("a value beyond a threshold is marked by the worst one passed, with that threshold in words", () => {
  const all = new Map(groups(VI, "vi", device(FACTS)).flatMap(({ facts }) => facts.map((fact) => [fact.id, fact])));

  assert.equal(all.get("temperature_c")?.tone, "warn");
  assert.equal(all.get("temperature_c")?.limit, "ngưỡng từ 80 °C");
  assert.equal(all.get("disk_free_share")?.tone, "bad");
  assert.equal(all.get("disk_free_share")?.value, "1 % (320 MB)");
  assert.equal(all.get("rtt_ms")?.tone, null);
});

test("of thresholds not passed, the one to be met first is named", () => {
  assert.equal(thresholdOf(THRESHOLDS, "temperature_c", 60)?.enter, 80);
  assert.equal(thresholdOf(THRESHOLDS, "cpu_share", 1), null);
});

test("charts are drawn of what the device measures", () => {
  assert.deepEqual(metricsOf(FACTS), ["rtt_ms", "temperature_c", "cpu_share", "memory_share", "disk_free_share", "outbox_depth"]);
  assert.deepEqual(metricsOf(null), []);
});

test("numbers wear their unit and the language's comma", () => {
  assert.equal(valueWords(VI, "vi", "rtt_ms", 1_234.4), "1.234 ms");
  assert.equal(valueWords(VI, "vi", "loss_share", 0.0123), "1,2 %");
  assert.equal(valueWords(VI, "en", "temperature_c", 53.25), "53.3 °C");
  assert.equal(valueWords(VI, "vi", "paint_age_s", 240), "4 phút");
  assert.equal(bytesWords("vi", 13_200_000_000), "13 GB");
  assert.equal(bytesWords("en", 1_500), "1.5 KB");
  assert.equal(axisWords("vi", "memory_share", 0.5), "50 %");
});

test("a share is drawn from nothing and never beyond the whole", () => {
  assert.deepEqual(limits("memory_share", 0.9, 1), [0, 1]);
  assert.deepEqual(limits("rtt_ms", null, null), [0, 1]);
  const [low, high] = limits("rtt_ms", 30, 50);
  assert.ok(low === 0 && high > 50);
});

test("opening hours in a line: days alike are gathered", () => {
  assert.equal(hoursWords(VI, []), "Suốt ngày đêm");
  assert.equal(hoursWords(VI, PRESETS.office), "Thứ Hai–Thứ Sáu 07:30–11:30, 13:00–17:00");
  assert.equal(
    hoursWords(VI, [
      { weekday: 5, from_minute: 480, to_minute: 720 },
      { weekday: 0, from_minute: 480, to_minute: 1_440 },
    ]),
    "Thứ Hai 08:00–24:00; Thứ Bảy 08:00–12:00",
  );
});

test("hours that overlap or end before they begin are not sound", () => {
  const at = (from_minute: number, to_minute: number, weekday = 0) => ({ weekday, from_minute, to_minute });

  assert.ok(isSound([at(780, 1_020), at(450, 690)]));
  assert.ok(isSound([at(450, 690, 0), at(450, 690, 1)]));
  assert.ok(!isSound([at(450, 800), at(780, 1_020)]));
  assert.ok(!isSound([at(690, 690)]));
  assert.ok(same([at(780, 1_020), at(450, 690)], [at(450, 690), at(780, 1_020)]));
});

test("a time of the day as people write it", () => {
  assert.equal(timeOf(450), "07:30");
  assert.equal(timeOf(1_440), "24:00");
  assert.equal(minuteOf("7:30"), 450);
  assert.equal(minuteOf("24:00"), 1_440);
  for (const text of ["24:01", "7:60", "7h30", ""]) assert.equal(minuteOf(text), null, text);
});

test("sessions are counted by the days of Hà Nội", () => {
  const hour = (at: number, begun: number) => counted([at, begun, 1, 0, 0, 0, 0]);

  const days = byDay([hour(24 * 10 + 16, 1), hour(24 * 10 + 17, 2), hour(24 * 10 + 18, 4)]); // midnight there is 17:00 UTC

  assert.deepEqual(days.map(({ counts }) => counts.begun), [6, 1]);
  assert.equal(days[0]?.at, (24 * 10 + 17) * 3_600);
});
