/**
 * What a window knows of its meeting: a value, and a pure function that hears a message.
 *
 * The server tells state in sections, each whole and versioned by `seq`; the newest of each is kept.
 */
import type {
  Act,
  Counts,
  Floor,
  Hands,
  Line,
  Meeting,
  Microphones,
  Recording,
  ServerMessage,
  SiteRow,
  Speaking,
  Stage,
  You,
} from "./wire";

/** How many of the last acts are kept to be read. */
export const ACTS_KEPT = 20;

/** A site's row, and as of when. */
export type KnownRow = SiteRow & { readonly seq: number };
export type Rows = ReadonlyMap<string, KnownRow>;

export interface RoomState {
  readonly epoch: number;
  readonly seq: number;
  readonly you: You | null;
  readonly features: readonly string[]; // what this server can do
  readonly meeting: Meeting | null;
  readonly floor: Floor | null;
  readonly hands: Hands | null;
  readonly stage: Stage | null;
  readonly microphones: Microphones | null;
  readonly recording: Recording | null;
  readonly counts: Counts | null;
  readonly rows: Rows;
  readonly acts: readonly Act[];
  readonly speaking: Speaking["sites"];
  readonly line: Line | null;
  /** Server's clock minus ours, in seconds. */
  readonly clock_ahead_s: number;
}

export const EMPTY: RoomState = {
  epoch: 0,
  seq: 0,
  you: null,
  features: [],
  meeting: null,
  floor: null,
  hands: null,
  stage: null,
  microphones: null,
  recording: null,
  counts: null,
  rows: new Map(),
  acts: [],
  speaking: [],
  line: null,
  clock_ahead_s: 0,
};

/** The state after the message. `now_s` is this window's clock, seconds UTC. */
export function hear(state: RoomState, message: ServerMessage, now_s: number): RoomState {
  switch (message.type) {
    case "welcome": {
      const clock_ahead_s = message.server_time - now_s;
      const base = message.resumed ? state : { ...EMPTY, rows: state.rows };
      return { ...base, epoch: message.epoch, seq: message.seq, you: message.you, features: message.features, clock_ahead_s, line: null };
    }
    case "pong":
      return { ...state, clock_ahead_s: message.server_time - now_s };
    case "meeting":
      return section(state, "meeting", message);
    case "floor":
      return section(state, "floor", message);
    case "hands":
      return section(state, "hands", message);
    case "stage":
      return section(state, "stage", message);
    case "microphones":
      return section(state, "microphones", message);
    case "recording":
      return section(state, "recording", message);
    case "counts":
      return section(state, "counts", message);
    case "presence":
      return { ...state, seq: Math.max(state.seq, message.seq), rows: withRows(state.rows, message.seq, message.sites) };
    case "act":
      if (state.acts.some((act) => act.seq === message.seq && act.act === message.act)) return state;
      return { ...state, acts: [...state.acts, message].slice(-ACTS_KEPT) };
    case "speaking":
      return { ...state, speaking: message.sites };
    case "line":
      return { ...state, line: message };
    case "done":
      // What it changed is told by sections of their own, which may still be on their way.
      return state;
    case "problem":
    case "answer":
    case "layers":
    case "media-lost":
    case "leave":
      return state;
    default:
      return unknown(message, state);
  }
}

type Sections = Pick<RoomState, "meeting" | "floor" | "hands" | "stage" | "microphones" | "recording" | "counts">;

function section<K extends keyof Sections>(state: RoomState, name: K, told: NonNullable<Sections[K]>): RoomState {
  const known = state[name];
  if (known !== null && known.seq > told.seq) return state;
  return { ...state, [name]: told, seq: Math.max(state.seq, told.seq) };
}

/** The rows with newer ones in place of older ones. */
export function withRows(rows: Rows, seq: number, changed: readonly SiteRow[]): Rows {
  const next = new Map(rows);
  for (const row of changed) {
    const known = next.get(row.code);
    if (known === undefined || known.seq <= seq) next.set(row.code, { ...row, seq });
  }
  return next;
}

/** A newer server is tolerated when running; a forgotten message is an error when building. */
function unknown(_message: never, state: RoomState): RoomState {
  return state;
}

// --- what can be read off the state ---

/** May this window give the command? The server decides again. */
export function may(state: RoomState, command: string): boolean {
  return state.you?.may.includes(command) ?? false;
}

/** Who is in this window's main slot: nobody is sent its own picture. */
export function mainFor(stage: Stage, own: string | null): Stage["main"] {
  return stage.main.code === own ? stage.host : stage.main;
}

/** The own place in the queue, from 1; null if not in the part that is told. */
export function placeInQueue(hands: Hands | null, own: string | null): number | null {
  const index = hands?.first.findIndex((site) => site.code === own) ?? -1;
  return index < 0 ? null : index + 1;
}
