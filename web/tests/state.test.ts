import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY, hear, mainFor, placeInQueue, type RoomState } from "../shared/state";
import type { Floor, Hands, ServerMessage, SiteRef, SiteRow, Stage, Welcome } from "../shared/wire";

const HOST = site("TP", "Điểm cầu Thành phố");
const PHUC_XA = site("00001", "Phường Phúc Xá");
const TRUC_BACH = site("00004", "Phường Trúc Bạch");

function site(code: string, name: string): SiteRef {
  return { code, name, district: "", simulated: false };
}

function floor(seq: number, version: number, speaker: SiteRef | null): Floor {
  return { type: "floor", v: 1, seq, version, site: speaker, until: null, held_until: null };
}

function welcome(resumed: boolean, epoch = 1, seq = 5): Welcome {
  const you = { role: "site", name: "", site: PHUC_XA, device: "primary", may: ["raise-hand"] } as const;
  return {
    type: "welcome",
    v: 1,
    rid: 1,
    features: [],
    epoch,
    seq,
    resumed,
    resume: "r",
    meeting: "m",
    you,
    server_time: 1_000,
    ice_servers: [],
  };
}

function row(code: string, state: SiteRow["state"]): SiteRow {
  return {
    code,
    state,
    device: null,
    people: null,
    hand: false,
    muted: false,
    line: null,
    microphone: true,
    camera: true,
    excuse: null,
    simulated: false,
    step: null,
    reason: null,
    step_at: null,
  };
}

function after(...messages: readonly ServerMessage[]): RoomState {
  return messages.reduce((state, message) => hear(state, message, 990), EMPTY);
}

test("the newest of a section is kept, whichever way round they come", () => {
  const newer = floor(7, 2, TRUC_BACH);

  assert.equal(after(floor(6, 1, PHUC_XA), newer).floor, newer);
  assert.equal(after(newer, floor(6, 1, PHUC_XA)).floor, newer);
});

test("a resumed session keeps what it knew; a fresh one begins with nothing but the roll", () => {
  const known = after(welcome(false), floor(6, 1, PHUC_XA), {
    type: "presence",
    v: 1,
    seq: 6,
    sites: [row("00001", "present")],
  });

  assert.equal(hear(known, welcome(true), 990).floor, known.floor);
  const fresh = hear(known, welcome(false, 2), 990);
  assert.equal(fresh.floor, null);
  assert.equal(fresh.rows.get("00001")?.state, "present");
});

test("a page of the roll that is older than a row does not overwrite it", () => {
  const state = after(
    { type: "presence", v: 1, seq: 9, sites: [row("00001", "away")] },
    { type: "presence", v: 1, seq: 8, sites: [row("00001", "present"), row("00004", "present")] },
  );

  assert.equal(state.rows.get("00001")?.state, "away");
  assert.equal(state.rows.get("00004")?.state, "present");
});

test("the server's clock is followed", () => {
  assert.equal(after(welcome(false)).clock_ahead_s, 10);
});

test("an act heard twice is one act", () => {
  const act = { type: "act", v: 1, seq: 3, at: 1, act: "all-muted", by: "", site: null, detail: "" } as const;

  assert.equal(after(act, act).acts.length, 1);
});

test("whether the meeting is recorded is a section like the others", () => {
  const on = { type: "recording", v: 1, seq: 7, since: 1_000 } as const;
  const off = { type: "recording", v: 1, seq: 6, since: null } as const;

  assert.equal(after(on, off).recording?.since, 1_000);
});

test("a message of a newer server changes nothing", () => {
  assert.equal(hear(EMPTY, { type: "of-tomorrow" } as unknown as ServerMessage, 0), EMPTY);
});

test("nobody is shown its own picture in main", () => {
  const stage: Stage = { type: "stage", v: 1, seq: 1, version: 1, host: HOST, main: PHUC_XA, tiles: [], content: null };

  assert.equal(mainFor(stage, PHUC_XA.code), HOST);
  assert.equal(mainFor(stage, TRUC_BACH.code), PHUC_XA);
});

test("places in the queue are counted from one", () => {
  const hands: Hands = { type: "hands", v: 1, seq: 1, version: 1, total: 2, first: [PHUC_XA, TRUC_BACH] };

  assert.equal(placeInQueue(hands, TRUC_BACH.code), 2);
  assert.equal(placeInQueue(hands, "00006"), null);
});
