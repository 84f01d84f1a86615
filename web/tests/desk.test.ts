import "./setting";
import assert from "node:assert/strict";
import { test } from "node:test";
import { lookOf } from "../meeting/desk/look";
import { filtered, listed, NO_FILTER, shortName } from "../meeting/desk/roll";
import { neighbour } from "../shared/tiles";
import { windowOf } from "../shared/virtual";
import type { Rows } from "../shared/state";
import type { RosterSite, SiteState } from "../shared/wire";

function unit(code: string, name: string, district: string, state: SiteState = "present"): RosterSite {
  return {
    code,
    name,
    district,
    district_code: district,
    sort: "",
    state,
    device: null,
    people: null,
    hand: code === "00190",
    muted: false,
    line: code === "00193" ? "weak" : "good",
    microphone: true,
    camera: true,
    excuse: null,
    simulated: false,
    step: null,
    reason: null,
    step_at: null,
  };
}

const SITES = [
  unit("00190", "Phường Ô Chợ Dừa", "Quận Đống Đa"),
  unit("00193", "Phường Văn Chương", "Quận Đống Đa"),
  unit("00004", "Phường Trúc Bạch", "Quận Ba Đình"),
  unit("10441", "Xã Đại Hưng", "Huyện Mỹ Đức", "expected"),
];
const ROWS: Rows = new Map(SITES.map((site) => [site.code, { ...site, seq: 1 }]));

function codes(filter: Partial<typeof NO_FILTER>): string[] {
  return filtered(listed(SITES), ROWS, "00004", { ...NO_FILTER, ...filter }).map((site) => site.code);
}

test("the roll is searched without accents, by unit or district", () => {
  assert.deepEqual(codes({ query: "dong da" }), ["00190", "00193"]);
  assert.deepEqual(codes({ query: "DUC" }), ["10441"]);
});

test("filters go together, and a weak line is present all the same", () => {
  assert.deepEqual(codes({ look: "present" }), ["00190", "00193", "00004"]);
  assert.deepEqual(codes({ look: "weak", district: "Quận Đống Đa" }), ["00193"]);
  assert.deepEqual(codes({ hand: true }), ["00190"]);
});

test("a site looks like what matters most about it", () => {
  assert.equal(lookOf(ROWS.get("00004"), "00004"), "floor");
  assert.equal(lookOf(ROWS.get("00193"), null), "weak");
  assert.equal(lookOf(ROWS.get("10441"), null), "expected");
  assert.equal(lookOf(undefined, null), "expected");
});

test("only rows in sight and a few around them are drawn", () => {
  assert.deepEqual(windowOf(0, 520, 52, 579), { from: 0, to: 16 });
  assert.deepEqual(windowOf(5_200, 520, 52, 579), { from: 94, to: 116 });
  assert.deepEqual(windowOf(9_999_999, 520, 52, 3), { from: 3, to: 3 });
});

test("arrows on the map go to the nearest district that way", () => {
  const at = (row: number, col: number) => ({ row, col });
  const all = [at(0, 2), at(0, 4), at(1, 2), at(2, 0)];

  assert.equal(neighbour(all, all[0]!, "ArrowRight"), 1);
  assert.equal(neighbour(all, all[0]!, "ArrowDown"), 2);
  assert.equal(neighbour(all, all[0]!, "ArrowUp"), null);
  assert.equal(neighbour(all, all[0]!, "Enter"), null);
});

test("the kind of unit is left out where there is no room", () => {
  assert.equal(shortName("Thị xã Sơn Tây"), "Sơn Tây");
});
