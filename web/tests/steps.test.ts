import "./setting";
import assert from "node:assert/strict";
import { test } from "node:test";
import { lookOf } from "../meeting/desk/look";
import { translator } from "../shared/i18n";
import { countSteps, gradeOf, isReduced, ownSentence, STEPS, stepSentence, type Step } from "../shared/steps";
import type { Line, SiteRow } from "../shared/wire";

const vi = translator("vi");
const AT_S = Date.UTC(2026, 10, 27, 7, 5) / 1000; // 14:05 in Hà Nội

function row(step: Step | null, part: Partial<SiteRow> = {}): SiteRow {
  return {
    code: "00004",
    state: "present",
    device: "primary",
    people: null,
    hand: false,
    muted: false,
    line: "good",
    microphone: true,
    camera: true,
    excuse: null,
    simulated: false,
    step,
    reason: step === "full" ? "room" : "loss",
    step_at: AT_S,
    ...part,
  };
}

function line(step: Step, grade: Line["grade"] = "good"): Line {
  return { type: "line", v: 1, grade, rtt_ms: null, loss: 0, step, reason: "loss", available_bps: null };
}

test("a step is a sentence with its reason and since when", () => {
  assert.equal(stepSentence(vi, row("audio-only")), "Đường truyền yếu: chỉ còn tiếng vì mất gói, từ 14:05");
  assert.equal(stepSentence(vi, row("full")), "Đường truyền tốt: nhận đủ hình và tiếng, từ 14:05");
  assert.equal(
    stepSentence(vi, row("half", { reason: "room" })),
    "Đường truyền đang phục hồi: hình giảm còn một nửa độ nét, từ 14:05",
  );
  assert.equal(stepSentence(vi, row(null)), null);
  assert.equal(stepSentence(vi, row("half", { state: "away" })), null);
});

test("a bridge point is told what is left and that sound comes first, and nothing while all is well", () => {
  assert.equal(ownSentence(vi, null), null);
  assert.equal(ownSentence(vi, line("full", "weak")), null);
  for (const step of STEPS.filter(isReduced)) assert.match(ownSentence(vi, line(step)) ?? "", /tiếng/);
});

test("a line that carries less than everything is not called good", () => {
  assert.equal(gradeOf(null), "none");
  assert.equal(gradeOf(line("full")), "good");
  assert.equal(gradeOf(line("half")), "weak");
  assert.equal(gradeOf(line("half", "bad")), "bad");
  assert.equal(gradeOf(line("audio-only")), "bad");
});

test("sites are counted by step while they are here and have media", () => {
  const counts = countSteps([row("full"), row("full"), row("still"), row(null), row("half", { state: "away" })]);
  assert.deepEqual([...counts.values()], [2, 0, 0, 0, 1, 0]);
});

test("a site that receives less looks otherwise than one that receives all, and sound alone otherwise again", () => {
  const looks = STEPS.map((step) => lookOf(row(step), null));
  assert.deepEqual(looks, ["present", "weak", "weak", "weak", "weak", "audio"]);
  assert.equal(lookOf(row("audio-only"), "00004"), "floor");
});
