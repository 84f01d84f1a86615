import assert from "node:assert/strict";
import { test } from "node:test";
import { holderOf, matches, type Filter } from "../fleet/incidents/filter";
import { clockOf, minuteOf } from "../fleet/setup/minutes";
import { freshRoute } from "../fleet/setup/fresh";
import type { IncidentRow } from "../shared/fleet-wire";

const ROW: IncidentRow = {
  id: "in-1",
  state: "open",
  severity: "critical",
  level: "building",
  place: { vi: "Nhà văn hóa số 3, Phường Phúc Xá, Quận Ba Đình", en: "Nhà văn hóa số 3, Phường Phúc Xá, Quận Ba Đình" },
  sentence: { code: "building-lost", vi: "Mất điện hoặc mất đường truyền", en: "Power or line lost" },
  opened_at: 0,
  changed_at: 0,
  version: 1,
  ill: 4,
  affected: 4,
  present: 4,
  district: "001",
};
const ALL: Filter = { text: "", district: "", severities: new Set(), whose: "", account: "lan" };

test("no filter shows everything", () => {
  assert.equal(matches(ROW, ALL), true);
});

test("words are found without accents, in place and fault", () => {
  assert.equal(matches(ROW, { ...ALL, text: "phuc xa mat dien" }), true);
  assert.equal(matches(ROW, { ...ALL, text: "đống đa" }), false);
});

test("severity and district narrow", () => {
  assert.equal(matches(ROW, { ...ALL, severities: new Set(["minor"]) }), false);
  assert.equal(matches(ROW, { ...ALL, severities: new Set(["minor", "critical"]), district: "001" }), true);
  assert.equal(matches(ROW, { ...ALL, district: "002" }), false);
});

test("whose it is: given to, else acknowledged by", () => {
  assert.equal(holderOf(ROW), "");
  assert.equal(matches(ROW, { ...ALL, whose: "nobody" }), true);
  const taken = { ...ROW, acknowledged_by: "lan" };
  assert.equal(matches(taken, { ...ALL, whose: "nobody" }), false);
  assert.equal(matches(taken, { ...ALL, whose: "mine" }), true);
  assert.equal(matches({ ...taken, assignee: "minh" }, { ...ALL, whose: "mine" }), false);
});

test("minutes of the day go to and fro", () => {
  for (const minute of [0, 1, 59, 60, 450, 1439]) assert.equal(minuteOf(clockOf(minute)), minute);
  assert.equal(clockOf(1440), "00:00");
});

test("a new recipient's id is its own", () => {
  const first = freshRoute([]);
  const second = freshRoute([first, { ...first, id: "kenh-3" }]);
  assert.equal(new Set([first.id, "kenh-3", second.id]).size, 3);
});
