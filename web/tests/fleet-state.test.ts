import "./setting";
import assert from "node:assert/strict";
import { test } from "node:test";
import { begins, ends, fails, heard, NOTHING, read, type FleetState } from "../fleet/store/state";
import type { DeviceRow } from "../shared/fleet-wire";

function row(id: string, version: number): DeviceRow {
  return {
    id,
    version,
    name: `${id}@${version}`,
    kind: "kiosk",
    state: "active",
    unit: "00004",
    district: "001",
    building: "",
    status: "ok",
    since: 0,
  };
}

const names = (state: FleetState): readonly string[] => [...state.rows.values()].map(({ name }) => name).sort();

test("of two of one id the higher version holds, whichever comes first", () => {
  const early = heard(read(begins(NOTHING), [row("a", 1)]), [row("a", 2)], []);
  const late = read(heard(begins(NOTHING), [row("a", 2)], []), [row("a", 1)]);

  assert.deepEqual(names(early), ["a@2"]);
  assert.deepEqual(names(late), ["a@2"]);
});

test("a server that counts anew is believed once its connection begins", () => {
  const before = ends(read(begins(NOTHING), [row("a", 900), row("b", 901)]));

  const after = ends(read(begins(before), [row("a", 3), row("b", 4)]));

  assert.deepEqual(names(after), ["a@3", "b@4"]);
});

test("what is not heard of again is dropped only when all pages are read", () => {
  const before = ends(read(begins(NOTHING), [row("a", 1), row("b", 2)]));

  const reading = read(begins(before), [row("b", 2)]);

  assert.deepEqual(names(reading), ["a@1", "b@2"]);
  assert.deepEqual(names(ends(reading)), ["b@2"]);
});

test("one that has left is not put back by an older page, but by the feed", () => {
  const left = heard(begins(NOTHING), [row("a", 1)], ["a"]);

  assert.deepEqual(names(read(left, [row("a", 1)])), []);
  assert.deepEqual(names(ends(heard(left, [row("a", 5)], []))), ["a@5"]);
});

test("a list that is there outlives a failed reload", () => {
  const here = ends(read(begins(NOTHING), [row("a", 1)]));

  assert.equal(fails(NOTHING).status, "failed");
  assert.equal(fails(begins(here)).status, "here");
  assert.deepEqual(names(fails(begins(here))), ["a@1"]);
});
