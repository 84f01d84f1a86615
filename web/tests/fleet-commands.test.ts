/** What the command dialogue asks for, and what the audit's address means. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { wantedBy } from "../fleet/audit/wanted";
import { askedBy, emptyForm, needsSecond, waits } from "../fleet/commands/form-state";
import type { ActsAnswer } from "../shared/fleet-wire";

const ACTS: ActsAnswer = {
  acts: [
    { act: "restart-page", beside: "disturbs", danger: "none", ttl_s: 3_600, runs_at_most_s: 120, evidence: null },
    { act: "reboot", beside: "disturbs", danger: "always", ttl_s: 3_600, runs_at_most_s: 600, evidence: null },
    { act: "set-screen", beside: "disturbs", danger: "in-bulk", ttl_s: 3_600, runs_at_most_s: 30, evidence: null },
    { act: "take-screenshot", beside: "never", danger: "none", ttl_s: 900, runs_at_most_s: 60, evidence: "screenshot" },
    { act: "take-out-of-service", beside: "disturbs", danger: "in-bulk", ttl_s: 86_400, runs_at_most_s: 60, evidence: null },
  ],
  bulk_is_many: 10,
  forced_soon_s: 600,
  least_ttl_s: 60,
  most_ttl_s: 604_800,
};

test("nothing is asked for without a reason", () => {
  const form = emptyForm("restart-page", "");
  assert.equal(askedBy(form, ACTS), null);
  assert.equal(askedBy({ ...form, why: "  a " }, ACTS), null);
  assert.deepEqual(askedBy({ ...form, why: "treo trang" }, ACTS), {
    do: { act: "restart-page" },
    why: "treo trang",
    plan: { ttl_s: null, waits_for_session: null, force_after_s: null, not_before: null },
  });
});

test("a session is ended by force only where the act disturbs it", () => {
  const plan = (act: "restart-page" | "take-screenshot", session: "now" | "force-10") =>
    askedBy({ ...emptyForm(act, ""), why: "treo trang", session }, ACTS)?.plan;
  assert.equal(plan("restart-page", "now")?.waits_for_session, false);
  assert.equal(plan("restart-page", "force-10")?.force_after_s, 600);
  assert.equal(plan("take-screenshot", "now")?.waits_for_session, null);
});

test("a message to residents is never empty", () => {
  assert.equal(askedBy({ ...emptyForm("take-out-of-service", " "), why: "bảo trì" }, ACTS), null);
});

test("the hour is Hà Nội's", () => {
  const asked = askedBy({ ...emptyForm("restart-page", ""), why: "đêm nay", at: "2026-11-27T22:00" }, ACTS);
  assert.equal(asked?.plan.not_before, Date.UTC(2026, 10, 27, 15) / 1000);
});

test("two persons, as the server will say", () => {
  const form = emptyForm("restart-page", "");
  assert.equal(needsSecond(form, ACTS, 500), false);
  assert.equal(needsSecond({ ...form, session: "now" }, ACTS, 1), true);
  assert.equal(needsSecond({ ...form, session: "force-2" }, ACTS, 1), true);
  assert.equal(needsSecond({ ...form, session: "force-10" }, ACTS, 1), false);
  assert.equal(needsSecond({ ...form, act: "reboot" }, ACTS, 1), true);
  assert.equal(needsSecond({ ...form, act: "take-out-of-service" }, ACTS, 9), false);
  assert.equal(needsSecond({ ...form, act: "take-out-of-service" }, ACTS, 10), true);
  assert.equal(needsSecond({ ...form, act: "set-screen", on: true }, ACTS, 10), false);
  assert.equal(needsSecond({ ...form, act: "set-screen", on: false }, ACTS, 10), true);
  assert.equal(waits({ ...form, act: "set-screen", on: true }, ACTS), "harmless");
});

test("days in the address are whole days in Hà Nội", () => {
  assert.equal(wantedBy(new URLSearchParams("")), "");
  const day = Date.UTC(2026, 10, 27) / 1000 - 7 * 3_600;
  const wanted = wantedBy(new URLSearchParams("since=2026-11-27&until=2026-11-27&account=lan&until2=x"));
  assert.equal(wanted, `&account=lan&since=${day}&until=${day + 86_400}`);
  assert.equal(wantedBy(new URLSearchParams("since=nonsense")), "");
});
