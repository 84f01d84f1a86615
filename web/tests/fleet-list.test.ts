import "./setting";
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  byStatus,
  counts,
  fromQuery,
  isFiltered,
  NO_FILTER,
  ordered,
  Searchable,
  toQuery,
  versions,
  within,
  WORST_FIRST,
  type Filter,
} from "../fleet/list/filter";
import { inOrder } from "../fleet/list/held";
import type { Places } from "../fleet/store/fleet";
import type { DeviceRow } from "../shared/fleet-wire";

const UNITS = [
  { code: "00190", name: "Phường Ô Chợ Dừa", district: "006", sort: "o cho dua" },
  { code: "00004", name: "Phường Trúc Bạch", district: "001", sort: "truc bach" },
];
const DISTRICTS = [
  { code: "001", name: "Quận Ba Đình", row: 0, col: 0 },
  { code: "006", name: "Quận Đống Đa", row: 0, col: 1 },
];
const PLACES: Places = {
  units: UNITS,
  districts: DISTRICTS,
  unit: new Map(UNITS.map((one) => [one.code, one])),
  district: new Map(DISTRICTS.map((one) => [one.code, one])),
};

function device(id: string, part: Partial<DeviceRow> = {}): DeviceRow {
  return {
    id,
    version: 1,
    name: `Ki-ốt ${id}`,
    kind: "kiosk",
    state: "active",
    unit: "00190",
    district: "006",
    building: "Nhà văn hóa số 3",
    status: "ok",
    since: 100,
    agent: "0.1.0",
    ...part,
  };
}

const ROWS = [
  device("a", { status: "ok" }),
  device("b", { status: "offline", since: 50 }),
  device("c", { status: "offline", since: 90, unit: "00004", district: "001", building: "" }),
  device("d", { status: "degraded", flapping: true, agent: "0.0.9" }),
  device("e", { status: "ok", in_session: true, kind: "bridge-point" }),
];

function ids(filter: Partial<Filter>): string {
  const full = { ...NO_FILTER, ...filter };
  return byStatus(within(ROWS, full, new Searchable(PLACES)), full.status)
    .map(({ id }) => id)
    .join("");
}

test("devices are found without accents by name, building, unit and district", () => {
  assert.equal(ids({ text: "ki-ot e" }), "e");
  assert.equal(ids({ text: "NHA VAN HOA" }), "abde");
  assert.equal(ids({ text: "o cho dua" }), "abde");
  assert.equal(ids({ text: "ba dinh" }), "c");
});

test("filters go together; the seat of a unit is a building too", () => {
  assert.equal(ids({ status: new Set(["offline"]), district: "006" }), "b");
  assert.equal(ids({ building: "" }), "c");
  assert.equal(ids({ flapping: true }), "d");
  assert.equal(ids({ session: true, kind: "bridge-point" }), "e");
  assert.equal(ids({ version: "0.0.9" }), "d");
});

test("chips count what each would show, whichever of them is chosen", () => {
  const all = within(ROWS, { ...NO_FILTER, district: "006", status: new Set(["offline"]) }, new Searchable(PLACES));

  assert.deepEqual([...counts(all)].sort(), [
    ["degraded", 1],
    ["offline", 1],
    ["ok", 2],
  ]);
});

test("the worst first, and of two as bad the newer", () => {
  const order = (sort: typeof WORST_FIRST) => ordered(ROWS, sort).map(({ id }) => id).join("");

  assert.equal(order(WORST_FIRST), "cbdae");
  assert.equal(order({ by: "name", down: true }), "edcba");
});

test("a filter and its order go into the address and come back", () => {
  const filter: Filter = {
    text: "đống đa",
    status: new Set(["faulty", "offline"]),
    district: "006",
    unit: "00190",
    building: "",
    kind: "kiosk",
    version: "0.1.0",
    flapping: true,
    session: true,
    incident: "i-1",
  };
  const sort = { by: "since", down: true };

  const back = fromQuery(new URLSearchParams(toQuery(filter, sort)));

  assert.deepEqual(back, { filter, sort });
  assert.equal(toQuery(NO_FILTER, WORST_FIRST), "");
  assert.equal(isFiltered(NO_FILTER), false);
  assert.equal(isFiltered(filter), true);
});

test("an address somebody has typed is no danger", () => {
  const { filter, sort } = fromQuery(new URLSearchParams("status=nonsense offline&kind=tank&sort=-weight&flapping=yes"));

  assert.deepEqual([...filter.status], ["offline"]);
  assert.equal(filter.kind, "");
  assert.equal(filter.flapping, false);
  assert.deepEqual(sort, WORST_FIRST);
});

test("a list under the pointer keeps its order; the new stand at the end, the gone are gone", () => {
  assert.deepEqual(
    inOrder([device("c"), device("b"), device("n")], ["a", "b", "c"]).map(({ id }) => id),
    ["b", "c", "n"],
  );
});

test("versions, the commonest first", () => {
  assert.deepEqual(versions(ROWS), ["0.1.0", "0.0.9"]);
});
