import assert from "node:assert/strict";
import { test } from "node:test";
import { fold, matches } from "../shared/fold";

test("accents, đ and case do not matter", () => {
  assert.equal(fold("Phường Ô Chợ Dừa, Quận Đống Đa"), "phuong o cho dua, quan dong da");
  assert.ok(matches(fold("Quận Đống Đa"), fold("dong da")));
  assert.ok(matches(fold("Huyện Mỹ Đức"), fold("ĐỨC")));
});

test("composed and decomposed letters are the same", () => {
  assert.equal(fold("Hòa".normalize("NFD")), fold("Hòa".normalize("NFC")));
});

test("a query is the beginnings of words, in any order", () => {
  assert.ok(matches(fold("Phường Trúc Bạch Quận Ba Đình"), fold("ba tru")));
  assert.ok(!matches(fold("Phường Trúc Bạch"), fold("uc")));
});
