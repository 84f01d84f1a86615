import "./setting";
import assert from "node:assert/strict";
import { test } from "node:test";
import { kept, moved, onPage, pagesOf, wallOrder } from "../meeting/wall/pages";
import type { KnownRow, Rows } from "../shared/state";
import type { Step } from "../shared/steps";
import type { RosterSite, SiteState } from "../shared/wire";

function unit(code: string, district: string, state: SiteState, camera: boolean, step: Step | null): RosterSite {
  return {
    code,
    name: code,
    district,
    district_code: district,
    sort: code,
    state,
    device: null,
    people: null,
    hand: false,
    muted: false,
    line: "good",
    microphone: true,
    camera,
    excuse: null,
    simulated: false,
    step,
    reason: null,
    step_at: null,
  };
}

const SITES = [
  unit("a", "1", "present", true, "full"),
  unit("b", "1", "present", false, "full"),
  unit("c", "2", "away", true, null),
  unit("d", "2", "present", true, "audio-only"),
  unit("e", "2", "present", true, "half"),
];
const ROWS: Rows = new Map(SITES.map((site): [string, KnownRow] => [site.code, { ...site, seq: 1 }]));

test("the wall shows who is here with a camera, in the order of the roll", () => {
  assert.deepEqual(wallOrder(SITES, ROWS, { district: null, weakFirst: false }), ["a", "d", "e"]);
  assert.deepEqual(wallOrder(SITES, ROWS, { district: "2", weakFirst: false }), ["d", "e"]);
});

test("the weakest come first when that is asked for", () => {
  assert.deepEqual(wallOrder(SITES, ROWS, { district: null, weakFirst: true }), ["d", "e", "a"]);
});

test("nobody's picture moves: newcomers come last, and who has gone keeps its place on the page that is seen", () => {
  const many = Array.from({ length: 30 }, (_, i) => `s${i}`);
  const now = ["new", ...many.filter((code) => code !== "s3" && code !== "s27")];
  const next = kept(many, now, 0);

  assert.deepEqual(onPage(next, 0), many.slice(0, 25));
  assert.deepEqual(onPage(next, 1), ["s25", "s26", "s28", "s29", "new"]);
  assert.equal(onPage(kept(next, now, 1), 0).includes("s3"), false);
  assert.equal(kept(many, many, 0), many);
});

test("pages are counted, and there is always one", () => {
  assert.deepEqual([0, 1, 25, 26, 579].map(pagesOf), [1, 1, 1, 2, 24]);
});

test("arrows walk over the pictures and stop at the edge", () => {
  assert.equal(moved(0, "ArrowRight", 7), 1);
  assert.equal(moved(1, "ArrowDown", 7), 6);
  assert.equal(moved(3, "ArrowDown", 7), 3);
  assert.equal(moved(0, "ArrowLeft", 7), 0);
  assert.equal(moved(6, "ArrowUp", 7), 1);
});
