import "./setting";
import assert from "node:assert/strict";
import { test } from "node:test";
import { translator } from "../shared/i18n";
import { length, megabytes } from "../shared/recordings";
import { whoDid } from "../shared/who";
import type { RecordingInfo } from "../shared/wire";

const ONE: RecordingInfo = {
  id: "r",
  state: "ready",
  started_at: 0,
  duration_s: 0,
  size_bytes: 0,
  mended: false,
  deleted_at: null,
  deleted_by: null,
};

test("lengths are told as clocks tell them, hours only where there are any", () => {
  assert.equal(length(5.4), "0:05");
  assert.equal(length(125), "2:05");
  assert.equal(length(3_725), "1:02:05");
  assert.equal(length(-1), "0:00");
});

test("sizes are whole megabytes, the smallest one", () => {
  assert.equal(megabytes(ONE), 1);
  assert.equal(megabytes({ ...ONE, size_bytes: 712_345_678 }), 712);
});

test("whoever has no name is told by role, in the language of the page", () => {
  const t = translator("vi");
  assert.equal(whoDid(t, "Ông Bình"), "Ông Bình");
  assert.equal(whoDid(t, "secretary"), "Thư ký");
  assert.equal(whoDid(t, "command line"), "quản trị máy chủ");
});
