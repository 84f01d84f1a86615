import "./setting";
import assert from "node:assert/strict";
import { test } from "node:test";
import { buildings, gather, incidents } from "../fleet/map/model";
import type { Places } from "../fleet/store/fleet";
import type { DeviceRow } from "../shared/fleet-wire";

const UNITS = [
  { code: "00190", name: "Phường Ô Chợ Dừa", district: "006", sort: "o" },
  { code: "00193", name: "Phường Văn Chương", district: "006", sort: "v" },
  { code: "00004", name: "Phường Trúc Bạch", district: "001", sort: "t" },
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

function device(id: string, unit: string, part: Partial<DeviceRow> = {}): DeviceRow {
  const district = unit === "00004" ? "001" : "006";
  return { id, version: 1, name: id, kind: "kiosk", state: "active", unit, district, building: "", status: "ok", since: 9, ...part };
}

test("a district is as bad as its worst device, and so is a unit", () => {
  const all = gather([
    device("a", "00190"),
    device("b", "00190", { status: "degraded" }),
    device("c", "00193", { status: "offline", incident: "i" }),
    device("d", "00004", { status: "closed" }),
  ]);

  const dongDa = all.get("006");
  assert.equal(dongDa?.worst, "offline");
  assert.equal(dongDa?.units.get("00190")?.worst, "degraded");
  assert.equal(dongDa?.counts.get("ok"), 1);
  assert.deepEqual([...(dongDa?.incidents ?? [])], ["i"]);
  assert.equal(all.get("001")?.worst, "closed");
});

test("a tile is drawn anew only if it looks otherwise", () => {
  const look = (status: DeviceRow["status"], version: number) => gather([device("a", "00190", { status, version })]).get("006")?.look;

  assert.equal(look("ok", 1), look("ok", 2));
  assert.notEqual(look("ok", 1), look("offline", 1));
});

test("buildings of a unit, the worst first, their devices the worst first", () => {
  const unit = gather([
    device("a", "00190", { building: "Tòa A" }),
    device("b", "00190", { building: "Tòa B" }),
    device("c", "00190", { building: "Tòa B", status: "faulty" }),
  ])
    .get("006")
    ?.units.get("00190");

  const found = buildings(unit!);

  assert.deepEqual(found.map(({ building }) => building), ["Tòa B", "Tòa A"]);
  assert.deepEqual(found[0]?.devices.map(({ id }) => id), ["c", "b"]);
});

test("an incident is at the smallest place that holds all its devices", () => {
  const where = (...devices: DeviceRow[]) => incidents(devices.map((one) => ({ ...one, incident: "i" })), PLACES)[0]?.where;

  assert.equal(where(device("k1", "00190")), "k1 · Phường Ô Chợ Dừa");
  assert.equal(where(device("k1", "00190", { building: "Tòa A" }), device("k2", "00190", { building: "Tòa A" })), "Tòa A · Phường Ô Chợ Dừa, Đống Đa");
  assert.equal(where(device("k1", "00190", { building: "Tòa A" }), device("k2", "00190")), "Phường Ô Chợ Dừa, Đống Đa");
  assert.equal(where(device("k1", "00190"), device("k2", "00193")), "Quận Đống Đa");
  assert.equal(where(device("k1", "00190"), device("k2", "00004")), "Đống Đa, Ba Đình");
});

test("the incident of more devices first, since the first of them", () => {
  const found = incidents(
    [
      device("a", "00190", { incident: "one", since: 50 }),
      device("b", "00193", { incident: "many", since: 40, status: "offline" }),
      device("c", "00193", { incident: "many", since: 30 }),
      device("d", "00004"),
    ],
    PLACES,
  );

  assert.deepEqual(
    found.map(({ id, devices, since, worst }) => [id, devices, since, worst]),
    [
      ["many", 2, 30, "offline"],
      ["one", 1, 50, "ok"],
    ],
  );
});
