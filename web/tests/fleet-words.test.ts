import "./setting";
import assert from "node:assert/strict";
import { test } from "node:test";
import { refusal, TABLES, translator, type Key } from "../fleet/i18n";
import { parse } from "../fleet/router";
import { worst } from "../fleet/ui/status";
import { agoWords, momentWords, sinceWords, span } from "../fleet/ui/words";

const VI = translator("vi");
const EN = translator("en");
const NOON = Date.UTC(2021, 7, 23, 5, 0) / 1000; // 12:00 in Hà Nội

test("since when, in the words of the day it is", () => {
  assert.equal(sinceWords(VI, "vi", NOON - 3_600, NOON), "từ 11:00");
  assert.equal(sinceWords(VI, "vi", NOON - 86_400, NOON), "từ 12:00 ngày 22/8");
  assert.equal(sinceWords(VI, "vi", NOON - 300 * 86_400, NOON), "từ 12:00 ngày 27/10/2020");
  assert.equal(sinceWords(EN, "en", NOON - 86_400, NOON), "since 12:00 on 22/08");
});

test("a day begins at midnight in Hà Nội, not in London", () => {
  const midnight = NOON - 12 * 3_600;
  assert.equal(sinceWords(VI, "vi", midnight, NOON), "từ 00:00");
  assert.equal(sinceWords(VI, "vi", midnight - 60, NOON), "từ 23:59 ngày 22/8");
});

test("how long ago, in the largest unit that fits", () => {
  assert.equal(agoWords(VI, "vi", NOON - 59, NOON), "vừa xong");
  assert.equal(agoWords(VI, "vi", NOON + 5, NOON), "vừa xong");
  assert.equal(agoWords(VI, "vi", NOON - 185, NOON), "3 phút trước");
  assert.equal(agoWords(VI, "vi", NOON - 7_300, NOON), "2 giờ trước");
  assert.equal(agoWords(EN, "en", NOON - 5 * 86_400, NOON), "5 days ago");
});

test("a span has two units at most", () => {
  assert.equal(span(VI, 42), "42 giây");
  assert.equal(span(VI, 125), "2 phút");
  assert.equal(span(VI, 7_500), "2 giờ 5 phút");
  assert.equal(span(VI, 3 * 86_400 + 3_600), "3 ngày 1 giờ");
});

test("a moment of today is a time, one of another day has the day with it", () => {
  assert.equal(momentWords("vi", NOON - 60, NOON), "11:59");
  assert.equal(momentWords("vi", NOON - 86_400, NOON), "12:00 22/8");
});

test("every sentence is there in both languages, with the same names in it", () => {
  const names = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
  for (const key of Object.keys(TABLES.vi) as Key[]) {
    assert.ok(TABLES.vi[key] !== "" && TABLES.en[key] !== "", key);
    assert.deepEqual(names(TABLES.en[key]), names(TABLES.vi[key]), key);
  }
});

test("a refusal has a sentence by its code, one of ours if it has none", () => {
  assert.equal(refusal(EN, "unknown-device"), TABLES.en["refused.unknown-device"]);
  assert.equal(refusal(EN, "in-doubt"), TABLES.en["refused.not-stored"]);
  assert.equal(refusal(EN, "never-heard-of"), TABLES.en["refused.internal"]);
  assert.equal(refusal(EN, "constructor"), TABLES.en["refused.internal"]);
});

test("an address names a page and its query", () => {
  assert.deepEqual(parse("/fleet").path, []);
  assert.deepEqual(parse("/fleet/devices/a%2Fb?tab=log").path, ["devices", "a/b"]);
  assert.equal(parse("/fleet/devices/x?tab=log").query.get("tab"), "log");
  assert.deepEqual(parse("/fleet/devices/%E0%A4%A").path, ["devices", "%E0%A4%A"]);
});

test("the worst of several states", () => {
  assert.equal(worst(["ok", "degraded", "closed"]), "degraded");
  assert.equal(worst([]), null);
});
