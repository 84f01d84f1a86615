import { Socket } from "./setting";
import assert from "node:assert/strict";
import { mock, test, type TestContext } from "node:test";
import { backoff_s } from "../shared/backoff";
import { Line, type LineStatus, type Memory } from "../shared/line";
import { Refused } from "../shared/problem";

/** A line whose server is the test, on a clock that moves only when told to. */
function begin(t: TestContext, memory: Memory = { resume: null, rid: 0 }, ticket = async () => "ticket") {
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const statuses: LineStatus[] = [];
  const memories: Memory[] = [];
  const line = new Line({
    url: "ws://here/ws",
    ticket,
    memory,
    remember: (kept) => memories.push(kept),
    onMessage: () => undefined,
    onStatus: (status) => statuses.push(status),
  });
  t.after(() => {
    line.close();
    mock.timers.reset();
  });
  return { line, statuses, memories };
}

async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

async function opened(): Promise<Socket> {
  await settled();
  const socket = Socket.newest();
  socket.open();
  return socket;
}

function welcome(socket: Socket, more: Record<string, unknown> = {}): void {
  const rid = socket.said[0]?.["rid"];
  socket.tell({ type: "welcome", rid, epoch: 1, seq: 5, resumed: false, resume: "again", server_time: 0, ...more });
}

async function cutAndBack(socket: Socket): Promise<Socket> {
  socket.cut();
  mock.timers.tick(1_000);
  return opened();
}

test("the first try again is within a second, later ones spread over at most fifteen", () => {
  assert.equal(backoff_s(0, () => 1), 1);
  assert.equal(backoff_s(3, () => 1), 4);
  assert.equal(backoff_s(30, () => 1), 15);
  assert.equal(backoff_s(5, () => 0), 0);
});

test("a ticket first, the resume token ever after", async (t) => {
  const { line, memories } = begin(t);
  line.start();
  const first = await opened();
  assert.equal(first.said[0]?.["ticket"], "ticket");
  welcome(first);

  const second = await cutAndBack(first);

  assert.equal(second.said[0]?.["resume"], "again");
  assert.equal(memories.at(-1)?.resume, "again");
});

test("a command that was not answered is said again under its number, and answered once", async (t) => {
  const { line } = begin(t);
  line.start();
  const first = await opened();
  welcome(first);
  const done = line.command({ type: "raise-hand" });
  const rid = first.said.at(-1)?.["rid"];

  const second = await cutAndBack(first);
  welcome(second, { resumed: true });

  assert.deepEqual(
    second.said.filter((message) => message["type"] === "raise-hand").map((message) => message["rid"]),
    [rid],
  );
  second.tell({ type: "done", rid, seq: 6 });
  assert.equal((await done).seq, 6);
});

test("only what a pong has confirmed is claimed to have been heard", async (t) => {
  const { line } = begin(t);
  line.start();
  const first = await opened();
  welcome(first);
  first.tell({ type: "floor", seq: 9 });

  const second = await cutAndBack(first);
  assert.equal(second.said[0]?.["have"], undefined);
  welcome(second);
  second.tell({ type: "floor", seq: 9 });
  second.tell({ type: "pong", rid: 99, server_time: 0 });
  second.tell({ type: "stage", seq: 12 });

  const third = await cutAndBack(second);
  assert.equal(third.said[0]?.["have"], 9);
  assert.equal(third.said[0]?.["epoch"], 1);
});

test("numbers go on growing after the page was loaded again", async (t) => {
  const { line } = begin(t, { resume: "again", rid: 41 });
  line.start();
  const socket = await opened();

  assert.equal(socket.said[0]?.["rid"], 42);
  assert.equal(socket.said[0]?.["have"], undefined);
});

test("silence after a ping is a lost line", async (t) => {
  const { line, statuses } = begin(t);
  line.start();
  welcome(await opened());

  mock.timers.tick(5_000);
  mock.timers.tick(5_000);

  assert.equal(statuses.at(-1)?.kind, "lost");
});

test("the server's place in the ramp is kept", async (t) => {
  const { line } = begin(t);
  line.start();
  const socket = await opened();
  welcome(socket);
  const before = Socket.all.length;

  socket.tell({ type: "leave", action: "resume", retry_after_ms: 7_000, code: "shutting-down", text: "" });
  mock.timers.tick(6_999);
  await settled();
  assert.equal(Socket.all.length, before);
  mock.timers.tick(1);
  await settled();

  assert.equal(Socket.all.length, before + 1);
});

test("whoever is told to stay away stays away", async (t) => {
  const { line, statuses } = begin(t);
  line.start();
  const socket = await opened();
  welcome(socket);
  const pending = line.command({ type: "raise-hand" });

  socket.tell({ type: "leave", action: "disconnect", retry_after_ms: 0, code: "superseded", text: "" });
  mock.timers.tick(60_000);

  assert.deepEqual(statuses.at(-1), { kind: "gone", code: "superseded" });
  await assert.rejects(pending, Refused);
});

test("a server of an older epoch is not believed", async (t) => {
  const { line, statuses } = begin(t);
  line.start();
  const first = await opened();
  welcome(first, { epoch: 3 });

  welcome(await cutAndBack(first), { epoch: 2 });

  assert.equal(statuses.at(-1)?.kind, "lost");
});

test("a link that is refused is told, not tried for ever", async (t) => {
  const { line, statuses } = begin(t, { resume: null, rid: 0 }, async () => {
    throw new Refused("revoked", "");
  });
  line.start();
  await settled();

  assert.deepEqual(statuses.at(-1), { kind: "gone", code: "revoked" });
});
