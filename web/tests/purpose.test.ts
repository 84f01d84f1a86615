import assert from "node:assert/strict";
import { test } from "node:test";
import { PURPOSES, purposeOf, wanted } from "../meeting/desk/purpose";
import type { LinkInfo } from "../shared/wire";

test("what is asked for is what the list then shows", () => {
  for (const purpose of PURPOSES) {
    const asked = wanted(purpose, "00004", 600);
    const link: LinkInfo = {
      id: "id",
      role: asked.role,
      site: null,
      device: asked.device ?? null,
      kind: asked.kind,
      created_at: 0,
      expires_at: 600,
    };
    assert.equal(purposeOf(link), purpose);
  }
});
