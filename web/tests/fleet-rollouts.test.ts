import "./setting";
import assert from "node:assert/strict";
import { test } from "node:test";
import { draftOf, fresh, planOf } from "../fleet/rollouts/draft";
import { shareOf } from "../fleet/rollouts/experience";
import { codeWord, minuteOf, minuteWord, sizeWord } from "../fleet/rollouts/words";
import { translator } from "../fleet/i18n";

test("a draft becomes a plan whose last ring is the rest, and comes back as it was", () => {
  const draft = { ...fresh("content-7"), title: "Tháng 11", windowed: true, cap: 200 };
  const plan = planOf(draft);
  assert.ok(plan);
  assert.deepEqual(
    plan.rings.map((ring) => ring.share),
    [0.02, 0.25, null],
  );
  assert.equal(plan.gate.soak_s, 3600);
  assert.deepEqual([plan.transfer.from_minute, plan.transfer.to_minute, plan.transfer.cap_bytes_per_s], [1320, 300, 200_000]);
  assert.deepEqual(draftOf(plan), draft);
});

test("a draft that leaves something open makes no plan", () => {
  const draft = fresh("content-7");
  assert.equal(planOf({ ...draft, bundle: "" }), null);
  assert.equal(planOf({ ...draft, rings: [{ way: "districts", percent: 5, districts: [] }] }), null);
  assert.equal(planOf({ ...draft, rings: [{ way: "share", percent: Number.NaN, districts: [] }] }), null);
  assert.equal(planOf({ ...draft, soak: Number.NaN }), null);
  assert.equal(planOf({ ...draft, windowed: true, from: "25:00" }), null);
  assert.equal(planOf({ ...draft, kinds: [] }), null);
  assert.equal(planOf({ ...draft, experience: false })?.gate.experience, null);
});

test("minutes and sizes are said as people do", () => {
  assert.equal(minuteWord(1320), "22:00");
  assert.equal(minuteWord(1440), "00:00");
  assert.equal(minuteOf("05:07"), 307);
  assert.equal(minuteOf("24:00"), null);
  assert.equal(sizeWord(1), "1 KB");
  assert.equal(sizeWord(200 * 1_048_576), "200 MB");
});

test("a code without a sentence is shown as it is", () => {
  const t = translator("vi");
  assert.equal(codeWord(t, "bad-hash"), "Tệp tải về khác với bản đã ký");
  assert.equal(codeWord(t, "something-new"), "something-new");
});

test("no share is above one", () => {
  const counts = { begun: 10, abandoned: 3, scans: 4, scans_failed: 9, help_calls: 40 };
  assert.deepEqual(shareOf(counts, "abandoned"), [3, 10]);
  assert.deepEqual(shareOf(counts, "scans-failed"), [4, 4]);
  assert.deepEqual(shareOf(counts, "help-calls"), [10, 10]);
});
