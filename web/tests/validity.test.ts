import assert from "node:assert/strict";
import { test } from "node:test";
import { endOf } from "../meeting/desk/validity";

const at = (text: string): number => Date.parse(text) / 1000;

test("today ends with Hà Nội's day, not with Greenwich's", () => {
  assert.equal(endOf("today", at("2026-11-22T16:59:00Z") - 3600), at("2026-11-22T23:59:59+07:00"));
  assert.equal(endOf("today", at("2026-11-22T17:00:00Z")), at("2026-11-23T23:59:59+07:00"));
});

test("a link made in the last minute of the day is still long enough to be made", () => {
  const now_s = at("2026-11-22T23:59:30+07:00");
  assert.equal(endOf("today", now_s) - now_s, 60);
});

test("weeks and months are counted from now", () => {
  assert.equal(endOf("week", 1000), 1000 + 7 * 86_400);
  assert.equal(endOf("month", 1000), 1000 + 30 * 86_400);
});
