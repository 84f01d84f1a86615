import assert from "node:assert/strict";
import { test } from "node:test";
import { clock, day, page, turn, warning } from "../kiosk/time";
import { say, text } from "../kiosk/words";

const AT = Date.UTC(2026, 10, 27, 19, 5); // 02:05 of the next day in Hà Nội

test("the clock is Hà Nội's wherever the machine believes to be", () => {
  assert.equal(clock(AT), "02:05");
  assert.match(day(AT, "vi"), /^Thứ Bảy, 28\/11\/2026$/);
});

test("each announcement has its turn for its own time, and then it is the first one's again", () => {
  assert.deepEqual(turn([10, 30], 5), { index: 0, share: 0.5 });
  assert.deepEqual(turn([10, 30], 25), { index: 1, share: 0.5 });
  assert.deepEqual(turn([10, 30], 40), { index: 0, share: 0 });
  assert.deepEqual(turn([], 7), { index: 0, share: 0 });
});

test("a resident is warned twenty seconds before the session ends, not earlier", () => {
  assert.equal(warning(60, 39.5), null);
  assert.equal(warning(60, 40), 20);
  assert.equal(warning(60, 61), 0);
});

test("a list has pages, and a page that is gone is the last one", () => {
  assert.deepEqual(page([1, 2, 3, 4, 5], 1), { items: [5], number: 1, of: 2 });
  assert.deepEqual(page([1, 2, 3], 7), { items: [1, 2, 3], number: 0, of: 1 });
  assert.deepEqual(page([], 0), { items: [], number: 0, of: 1 });
});

test("what was not translated is shown in Vietnamese", () => {
  assert.equal(text({ vi: "Lịch tiêm chủng", en: "" }, "en"), "Lịch tiêm chủng");
  assert.equal(say("vi", "page", { n: 1, of: 3 }), "Trang 1 trên 3");
});
