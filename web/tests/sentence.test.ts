import "./setting";
import assert from "node:assert/strict";
import { test } from "node:test";
import { mayRest, type Asked } from "../meeting/site/quiet";
import { sentence, type Situation } from "../meeting/site/sentence";
import { translator } from "../shared/i18n";
import { en } from "../shared/i18n/en";
import { vi } from "../shared/i18n/vi";
import { EMPTY, type RoomState } from "../shared/state";
import type { Mode, SiteRef } from "../shared/wire";

const OWN: SiteRef = { code: "00004", name: "Phường Trúc Bạch", district: "Quận Ba Đình", simulated: false };
const t = translator("vi");

function room(mode: Mode, speaker: SiteRef | null, may = true, until: number | null = null): RoomState {
  return {
    ...EMPTY,
    you: { role: "site", name: "", site: OWN, device: "primary", may: [] },
    meeting: { type: "meeting", v: 1, seq: 1, title: "", locked: false, ended: false, mode, mode_version: 1 },
    floor: { type: "floor", v: 1, seq: 1, version: 1, site: speaker, until, held_until: null },
    microphones: { type: "microphones", v: 1, seq: 1, all_muted: !may, you_may_speak: may, you_are_muted: !may },
  };
}

function said(more: Partial<Situation>): string {
  const calm: Situation = {
    state: room("called-site", null),
    line: "open",
    media: "up",
    justBack: false,
    microphoneOn: true,
    place: null,
    waiting: false,
    refused: null,
    quiet: false,
    now_s: 1_000,
  };
  return sentence(t, { ...calm, ...more }).text;
}

test("a ward is told what happens next", () => {
  assert.equal(said({}), "Bấm OK để đăng ký phát biểu");
  assert.equal(said({ place: 3 }), "Đồng chí ở vị trí thứ 3 trong danh sách chờ");
  assert.equal(said({ place: 1 }), "Đồng chí là điểm cầu phát biểu tiếp theo");
  assert.equal(said({ state: room("called-site", OWN) }), "Đồng chí đang được mời phát biểu");
  assert.equal(
    said({ state: room("called-site", OWN, true, 1_155) }),
    "Đồng chí đang được mời phát biểu – còn 2:35",
  );
  assert.equal(said({ state: room("break", null, false) }), "Hội nghị đang giải lao, xin giữ kết nối");
});

test("a lost line comes before everything, and coming back is said", () => {
  assert.equal(said({ line: "lost", state: room("called-site", OWN) }), "Mất kết nối – đang kết nối lại…");
  assert.equal(said({ justBack: true, place: 3 }), "Đã kết nối lại");
});

test("while the buttons are out of sight the sentence tells of both presses", () => {
  assert.equal(said({ quiet: true }), "Muốn phát biểu, xin bấm OK hai lần");
  assert.equal(said({ quiet: true, place: 3 }), said({ place: 3 }));
});

test("the bar stays while anything is asked of the ward or wrong", () => {
  const calm: Asked = { line: "open", media: "up", speaking: false, blocked: false, refused: false, open: false };
  assert.ok(mayRest(calm));
  const awake: readonly Partial<Asked>[] = [
    { speaking: true },
    { blocked: true },
    { refused: true },
    { open: true },
    { line: "lost" },
    { line: "connecting" },
    { media: "lost" },
  ];
  for (const one of awake) assert.ok(!mayRest({ ...calm, ...one }), JSON.stringify(one));
});

test("an invited ward whose microphone is off is told so", () => {
  assert.match(said({ state: room("called-site", OWN), microphoneOn: false }), /xin bật micro/);
  assert.match(said({ state: room("called-site", OWN, false) }), /micro đang bị Thành phố tắt/);
});

test("both languages fill in the same names", () => {
  const names = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();
  for (const [key, text] of Object.entries(vi)) {
    assert.deepEqual(names(en[key as keyof typeof vi]), names(text), key);
  }
});

test("numbers are written as each language does", () => {
  assert.equal(t("desk.queue.more", { n: 1234 }), "và 1.234 điểm cầu nữa");
  assert.equal(translator("en")("desk.queue.more", { n: 1234 }), "and 1,234 more");
});
