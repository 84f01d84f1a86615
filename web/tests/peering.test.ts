import "./setting";
import { Peer } from "./peers";
import assert from "node:assert/strict";
import { mock, test, type TestContext } from "node:test";
import { switchLayers } from "../shared/encodings";
import { Peering } from "../shared/peering";
import { Refused } from "../shared/problem";
import { Wall } from "../shared/wall";
import type { Answer } from "../shared/wire";

const ANSWER: Answer = { type: "answer", v: 1, rid: 1, sdp: "answer", slots: { "0": "main" } };

async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

/** A connection whose server answers offers, and restarts as the test says. */
async function begin(t: TestContext, restart: (sdp: string) => Promise<Answer> = async () => ANSWER) {
  mock.timers.enable({ apis: ["setTimeout"] });
  Peer.all = [];
  const statuses: string[] = [];
  const restarted: string[] = [];
  const peering: Peering = new Peering({
    make: () => {
      const connection = new RTCPeerConnection(peering.configuration());
      connection.addTransceiver("video");
      return connection;
    },
    offer: async () => ANSWER,
    restart: (sdp) => {
      restarted.push(sdp);
      return restart(sdp);
    },
    onState: ({ status }) => statuses.push(status),
  });
  t.after(() => {
    peering.stop();
    mock.timers.reset();
  });
  peering.renew();
  mock.timers.tick(0);
  await settled();
  Peer.newest().becomes("connected");
  return { peering, statuses, restarted };
}

test("a connection that stays disconnected gets new ICE credentials, and is kept when that helps", async (t) => {
  const { statuses, restarted } = await begin(t);
  const [peer] = Peer.all;

  peer?.becomes("disconnected");
  mock.timers.tick(1_400);
  assert.deepEqual(restarted, []);
  mock.timers.tick(200);
  await settled();
  assert.deepEqual(restarted, ["offer-2"]);
  assert.deepEqual(peer?.restarts, [false, true]);
  peer?.becomes("connected");
  mock.timers.tick(60_000);
  await settled();

  assert.equal(Peer.all.length, 1);
  assert.equal(statuses.at(-1), "up");
});

test("a connection that new credentials do not help is replaced", async (t) => {
  await begin(t);

  Peer.newest().becomes("disconnected");
  mock.timers.tick(1_600);
  await settled();
  mock.timers.tick(7_000);
  mock.timers.tick(2_000);
  await settled();

  assert.equal(Peer.all.length, 2);
});

test("another network restarts at once, and a refusal is answered by a new connection while the old one shows", async (t) => {
  const { peering, statuses, restarted } = await begin(t, () => Promise.reject(new Refused("not-joined", "gone")));

  peering.networkChanged();
  await settled();
  mock.timers.tick(0);
  await settled();
  assert.equal(restarted.length, 1);
  assert.equal(Peer.all.length, 2);
  assert.equal(Peer.all[0]?.connectionState, "connected");
  assert.equal(statuses.includes("lost"), false);

  Peer.newest().becomes("connected");
  assert.equal(Peer.all[0]?.connectionState, "closed");
});

test("without a line nothing is replaced: the room calls when it is back", async (t) => {
  const { peering } = await begin(t, () => Promise.reject(new Refused("offline", "no line")));

  peering.networkChanged();
  await settled();
  mock.timers.tick(60_000);

  assert.equal(Peer.all.length, 1);
});

test("a connection has the relays it was told of, from its next restart on", async (t) => {
  const { peering } = await begin(t);
  const relay = { urls: ["turns:meet.example:443"], username: "u", credential: "c" };

  peering.setIceServers([relay]);
  peering.networkChanged();
  await settled();

  assert.deepEqual(Peer.newest().configuration.iceServers, [relay]);
});

test("layers are switched on and off, and nothing is changed that is so already", () => {
  const encodings = ["q", "h", "f"].map((rid) => ({ rid, active: true }));

  assert.equal(switchLayers(encodings, ["q"]), true);
  assert.deepEqual(
    encodings.map(({ active }) => active),
    [true, false, false],
  );
  assert.equal(switchLayers(encodings, ["q"]), false);
  assert.equal(switchLayers(encodings, []), true);
  assert.equal(switchLayers(encodings, null), true);
  assert.deepEqual(
    encodings.map(({ active }) => active),
    [true, true, true],
  );
  const screen = [{ active: true }];
  assert.equal(switchLayers(screen, [""]), false);
  assert.equal(switchLayers(screen, []), true);
});

/** A wall, and what its server was asked to show; each question waits for `answer`. */
async function wall(t: TestContext) {
  mock.timers.enable({ apis: ["setTimeout"] });
  Peer.all = [];
  const asked: (readonly string[])[] = [];
  const told: (readonly string[])[] = [];
  let settle: { readonly resolve: () => void; readonly reject: (error: Refused) => void } | null = null;
  const it = new Wall({
    offer: async () => ANSWER,
    restart: async () => ANSWER,
    watch: (sites) => {
      asked.push(sites);
      return new Promise<void>((resolve, reject) => (settle = { resolve, reject }));
    },
    onState: () => undefined,
    onTold: (sites) => told.push(sites),
  });
  t.after(() => {
    it.stop();
    mock.timers.reset();
  });
  it.watch(["a"]);
  it.peering.renew();
  mock.timers.tick(0);
  await settled();
  const answer = async (code?: string) => {
    if (code === undefined) settle?.resolve();
    else settle?.reject(new Refused(code, ""));
    await settled();
  };
  return { it, asked, told, answer };
}

test("a wall has 25 sections and is told what to show once the server knows it", async (t) => {
  const { asked, told, answer } = await wall(t);

  assert.equal(Peer.newest().transceivers.length, 25);
  assert.deepEqual(asked, [["a"]]);
  assert.deepEqual(told, []);
  await answer();
  assert.deepEqual(told, [["a"]]);
});

test("who pages fast asks for the last page only", async (t) => {
  const { it, asked, answer } = await wall(t);

  for (const code of ["b", "c", "d"]) it.watch([code]);
  await answer();
  await answer();
  it.watch(["d"]);
  await settled();

  assert.deepEqual(asked, [["a"], ["d"]]);
});

test("a busy server is asked again, and one that has forgotten the wall is offered it anew", async (t) => {
  const { asked, answer } = await wall(t);

  await answer("busy");
  mock.timers.tick(1_000);
  await settled();
  assert.deepEqual(asked, [["a"], ["a"]]);

  await answer("not-joined");
  mock.timers.tick(1_000);
  await settled();
  assert.equal(Peer.all.length, 2);
  assert.deepEqual(asked, [["a"], ["a"], ["a"]]);
});
