// Made by `python -m signaling.wire.typescript web/shared/wire.ts` from the Python types. Do not edit.

export const VERSION = 1;
export const MAX_MESSAGE_BYTES = 16384;
export const MAX_OFFER_BYTES = 65536;
export const MAX_HANDS_TOLD = 32;
export const MAX_SITES_TOLD = 64;
export const MAX_WALL = 25;
export const MAX_TILES = 4;
export const MAX_REASON_CHARS = 200;
export const MAX_PEOPLE = 9999;
export const MAX_SPEAKING_TIME_S = 14400;
export const MAX_MEDIA_SECTIONS = 32;
export const HOST = "TP";

/** What somebody is in one meeting. */
export type Role = "chair" | "secretary" | "operator" | "site" | "observer";

/** Which of a site's two devices. */
export type Device = "primary" | "backup";

/** What a link is given to: each opens one door and no other. */
export type LinkKind = "page" | "whip" | "whep";

/** Where a site is, as the roll shows it. */
export type SiteState = "expected" | "present" | "away" | "left" | "excused";

/** Who may be heard beside the host. */
export type Mode = "chair-only" | "called-site" | "open" | "break";

/** Why a site has the floor no more. */
export type FloorEnd = "yielded" | "taken" | "passed" | "time-up" | "dropped" | "left" | "break" | "ended";

/** A site by its code, with what a page needs to name it. */
export interface SiteRef {
  readonly code: string;
  readonly name: string;
  readonly district: string;
  readonly simulated: boolean;
}

/** Who the server takes you for. */
export interface You {
  readonly role: Role;
  readonly name: string;
  readonly site: SiteRef | null;
  readonly device: Device | null;
  readonly may: readonly string[];
}

/** A relay for whom a firewall lets through nothing else, as RTCPeerConnection takes it. */
export interface IceServer {
  readonly urls: readonly string[];
  readonly username: string;
  readonly credential: string;
}

export interface SiteRow {
  readonly code: string;
  readonly state: SiteState;
  readonly device: Device | null;
  readonly people: number | null;
  readonly hand: boolean;
  readonly muted: boolean;
  readonly line: "bad" | "good" | "weak" | null;
  readonly microphone: boolean;
  readonly camera: boolean;
  readonly excuse: string | null;
  readonly simulated: boolean;
  readonly step: "audio-only" | "fewer-frames" | "full" | "half" | "quarter" | "still" | null;
  readonly reason: "bandwidth" | "delay" | "loss" | "room" | "silent" | null;
  readonly step_at: number | null;
}

// --- what a client says ---

/**
 * Must come first, within 5 s. Either a fresh ``ticket`` or the ``resume`` token of a welcome.
 *
 * ``have`` is the last ``seq`` heard in ``epoch``; without them a snapshot follows.
 */
export interface Hello {
  readonly type: "hello";
  readonly rid: number;
  readonly v: 1;
  readonly ticket?: string | null;
  readonly resume?: string | null;
  readonly have?: number | null;
  readonly epoch?: number | null;
}

/** Is the line alive? Answered by ``pong`` at once. */
export interface Ping {
  readonly type: "ping";
  readonly rid: number;
  readonly v: 1;
}

/**
 * The session description of a new peer connection; answered by ``answer``.
 *
 * It takes the place of the one this window had for the same purpose. A wall is city hall's: it only
 * receives, and is watched by ``watch-wall``.
 */
export interface Offer {
  readonly type: "offer";
  readonly rid: number;
  readonly v: 1;
  readonly sdp: string;
  readonly purpose?: "meeting" | "wall";
}

/**
 * The network has changed: the same peer connection with new credentials; answered by ``answer``.
 *
 * ``not-joined``: the connection is gone, offer a new one.
 */
export interface RestartIce {
  readonly type: "restart-ice";
  readonly rid: number;
  readonly v: 1;
  readonly sdp: string;
  readonly purpose?: "meeting" | "wall";
}

/** What the wall's slots ``wall-1…25`` show, in order. Empty: nothing. Officials only. */
export interface WatchWall {
  readonly type: "watch-wall";
  readonly rid: number;
  readonly v: 1;
  readonly sites: readonly string[];
}

/** The wall is looked at no longer: its peer connection ends. Officials only. */
export interface CloseWall {
  readonly type: "close-wall";
  readonly rid: number;
  readonly v: 1;
}

/** Tell me of every site's state (on), or only of counts (off). Officials only. */
export interface WatchPresence {
  readonly type: "watch-presence";
  readonly rid: number;
  readonly v: 1;
  readonly on: boolean;
}

/** What the device itself sends now: a camera covered or a microphone switched off by hand. */
export interface DeviceState {
  readonly type: "device-state";
  readonly rid: number;
  readonly v: 1;
  readonly microphone: boolean;
  readonly camera: boolean;
}

/** I go, on purpose. */
export interface ClientLeave {
  readonly type: "leave";
  readonly rid: number;
  readonly v: 1;
}

export interface RaiseHand {
  readonly type: "raise-hand";
  readonly rid: number;
  readonly v: 1;
  readonly site?: string | null;
}

export interface LowerHand {
  readonly type: "lower-hand";
  readonly rid: number;
  readonly v: 1;
  readonly site?: string | null;
}

export interface ClearHands {
  readonly type: "clear-hands";
  readonly rid: number;
  readonly v: 1;
  readonly hands_version: number;
}

export interface GiveFloor {
  readonly type: "give-floor";
  readonly rid: number;
  readonly v: 1;
  readonly site: string;
  readonly floor_version: number;
  readonly speaking_time_s?: number | null;
}

export interface NextSpeaker {
  readonly type: "next-speaker";
  readonly rid: number;
  readonly v: 1;
  readonly floor_version: number;
  readonly speaking_time_s?: number | null;
}

export interface TakeFloor {
  readonly type: "take-floor";
  readonly rid: number;
  readonly v: 1;
  readonly floor_version: number;
}

export interface YieldFloor {
  readonly type: "yield-floor";
  readonly rid: number;
  readonly v: 1;
}

export interface SetMode {
  readonly type: "set-mode";
  readonly rid: number;
  readonly v: 1;
  readonly mode: Mode;
  readonly mode_version: number;
}

export interface MuteAll {
  readonly type: "mute-all";
  readonly rid: number;
  readonly v: 1;
}

export interface UnmuteAll {
  readonly type: "unmute-all";
  readonly rid: number;
  readonly v: 1;
}

export interface MuteSite {
  readonly type: "mute-site";
  readonly rid: number;
  readonly v: 1;
  readonly site: string;
}

export interface UnmuteSite {
  readonly type: "unmute-site";
  readonly rid: number;
  readonly v: 1;
  readonly site: string;
}

export interface SetStage {
  readonly type: "set-stage";
  readonly rid: number;
  readonly v: 1;
  readonly main: string | null;
  readonly tiles: readonly string[];
  readonly stage_version: number;
}

export interface ShareContent {
  readonly type: "share-content";
  readonly rid: number;
  readonly v: 1;
}

export interface StopContent {
  readonly type: "stop-content";
  readonly rid: number;
  readonly v: 1;
  readonly site?: string | null;
}

export interface ExcuseAbsence {
  readonly type: "excuse-absence";
  readonly rid: number;
  readonly v: 1;
  readonly site: string;
  readonly reason: string;
}

export interface WithdrawExcuse {
  readonly type: "withdraw-excuse";
  readonly rid: number;
  readonly v: 1;
  readonly site: string;
}

export interface CountPeople {
  readonly type: "count-people";
  readonly rid: number;
  readonly v: 1;
  readonly people: number;
  readonly site?: string | null;
}

export interface StartRecording {
  readonly type: "start-recording";
  readonly rid: number;
  readonly v: 1;
}

export interface StopRecording {
  readonly type: "stop-recording";
  readonly rid: number;
  readonly v: 1;
}

export interface LockMeeting {
  readonly type: "lock-meeting";
  readonly rid: number;
  readonly v: 1;
}

export interface UnlockMeeting {
  readonly type: "unlock-meeting";
  readonly rid: number;
  readonly v: 1;
}

export interface EndMeeting {
  readonly type: "end-meeting";
  readonly rid: number;
  readonly v: 1;
}

export type ClientMessage =
  | Hello
  | Ping
  | Offer
  | RestartIce
  | WatchWall
  | CloseWall
  | WatchPresence
  | DeviceState
  | ClientLeave
  | RaiseHand
  | LowerHand
  | ClearHands
  | GiveFloor
  | NextSpeaker
  | TakeFloor
  | YieldFloor
  | SetMode
  | MuteAll
  | UnmuteAll
  | MuteSite
  | UnmuteSite
  | SetStage
  | ShareContent
  | StopContent
  | ExcuseAbsence
  | WithdrawExcuse
  | CountPeople
  | StartRecording
  | StopRecording
  | LockMeeting
  | UnlockMeeting
  | EndMeeting;

// --- what the server says ---

/** The answer to hello. ``resumed``: only what changed since ``have`` follows, else everything. */
export interface Welcome {
  readonly type: "welcome";
  readonly rid: number;
  readonly v: 1;
  readonly features: readonly string[];
  readonly epoch: number;
  readonly seq: number;
  readonly resumed: boolean;
  readonly resume: string;
  readonly meeting: string;
  readonly you: You;
  readonly server_time: number;
  readonly ice_servers: readonly IceServer[];
}

/** The command is durable; what it changed is told as of ``seq``. */
export interface Done {
  readonly type: "done";
  readonly rid: number;
  readonly v: 1;
  readonly seq: number;
}

/** Refused; nothing has changed. Programs look at ``code``, people at ``text``. */
export interface Problem {
  readonly type: "problem";
  readonly rid: number | null;
  readonly v: 1;
  readonly code: string;
  readonly text: string;
}

export interface Pong {
  readonly type: "pong";
  readonly rid: number;
  readonly v: 1;
  readonly server_time: number;
}

/** The answer to an offer, and which section is which slot; a restart's has new credentials only. */
export interface Answer {
  readonly type: "answer";
  readonly rid: number;
  readonly v: 1;
  readonly sdp: string;
  readonly slots: Readonly<Record<string, string>>;
}

export interface Meeting {
  readonly type: "meeting";
  readonly v: 1;
  readonly seq: number;
  readonly title: string;
  readonly locked: boolean;
  readonly ended: boolean;
  readonly mode: Mode;
  readonly mode_version: number;
}

export interface Floor {
  readonly type: "floor";
  readonly v: 1;
  readonly seq: number;
  readonly version: number;
  readonly site: SiteRef | null;
  readonly until: number | null;
  readonly held_until: number | null;
}

/** The same order for everybody: it is data, not a sort. */
export interface Hands {
  readonly type: "hands";
  readonly v: 1;
  readonly seq: number;
  readonly version: number;
  readonly total: number;
  readonly first: readonly SiteRef[];
}

/** ``main`` sees ``host`` in its own main slot; nobody is sent its own picture. */
export interface Stage {
  readonly type: "stage";
  readonly v: 1;
  readonly seq: number;
  readonly version: number;
  readonly host: SiteRef;
  readonly main: SiteRef;
  readonly tiles: readonly SiteRef[];
  readonly content: SiteRef | null;
}

/** Whether *you* may be heard now: the one section told per receiver. */
export interface Microphones {
  readonly type: "microphones";
  readonly v: 1;
  readonly seq: number;
  readonly all_muted: boolean;
  readonly you_may_speak: boolean;
  readonly you_are_muted: boolean;
}

/** Whether the meeting is recorded: everybody is shown it. */
export interface Recording {
  readonly type: "recording";
  readonly v: 1;
  readonly seq: number;
  readonly since: number | null;
}

/** How many units are where; the host is not counted. */
export interface Counts {
  readonly type: "counts";
  readonly v: 1;
  readonly seq: number;
  readonly total: number;
  readonly expected: number;
  readonly present: number;
  readonly away: number;
  readonly left: number;
  readonly excused: number;
}

/** Rows that changed since the last one; at most MAX_SITES_TOLD each, ten a second. */
export interface Presence {
  readonly type: "presence";
  readonly v: 1;
  readonly seq: number;
  readonly sites: readonly SiteRow[];
}

/** What was just done, by whom; to officials. ``act`` is the event's type. */
export interface Act {
  readonly type: "act";
  readonly v: 1;
  readonly seq: number;
  readonly at: number;
  readonly act: string;
  readonly by: string;
  readonly site: SiteRef | null;
  readonly detail: string;
}

/** Whose voice is heard now, loudest first, at most three. */
export interface Speaking {
  readonly type: "speaking";
  readonly v: 1;
  readonly sites: readonly SiteRef[];
}

/** How your own line is, what it is sent therefore, and why. */
export interface Line {
  readonly type: "line";
  readonly v: 1;
  readonly grade: "bad" | "good" | "weak";
  readonly rtt_ms: number | null;
  readonly loss: number;
  readonly step: "audio-only" | "fewer-frames" | "full" | "half" | "quarter" | "still";
  readonly reason: "bandwidth" | "delay" | "loss" | "room" | "silent";
  readonly available_bps: number | null;
}

/**
 * Which layers of your picture somebody watches: send these, and no other.
 *
 * ``layers`` holds rids (``q``, ``h``, ``f``), or ``""`` for a picture sent in one layer; empty: none.
 * About the peer connection that was offered last for the meeting; until told, send all.
 */
export interface Layers {
  readonly type: "layers";
  readonly v: 1;
  readonly role: "camera" | "screen";
  readonly layers: readonly string[];
}

/** The media engine restarted: close your peer connection and offer anew after this wait. */
export interface MediaLost {
  readonly type: "media-lost";
  readonly v: 1;
  readonly retry_after_ms: number;
}

/**
 * Go. ``resume``: come back with the resume token; ``reconnect``: with a new ticket;
 * ``disconnect``: do not come back by yourself.
 */
export interface ServerLeave {
  readonly type: "leave";
  readonly v: 1;
  readonly action: "disconnect" | "reconnect" | "resume";
  readonly retry_after_ms: number;
  readonly code: string;
  readonly text: string;
}

export type ServerMessage =
  | Welcome
  | Done
  | Problem
  | Pong
  | Answer
  | Meeting
  | Floor
  | Hands
  | Stage
  | Microphones
  | Recording
  | Counts
  | Presence
  | Act
  | Speaking
  | Line
  | Layers
  | MediaLost
  | ServerLeave;

// --- what REST answers ---

/** Every refusal of a request. Programs look at ``code``, people at ``text``. */
export interface ErrorBody {
  readonly code: string;
  readonly text: string;
  readonly field?: string | null;
}

/** A single-use ticket for ``hello``, and what it lets in to. */
export interface TicketAnswer {
  readonly ticket: string;
  readonly meeting: string;
  readonly title: string;
  readonly role: Role;
  readonly site: SiteRef | null;
  readonly expires_at: number;
}

/** Who is logged in. ``csrf`` goes into ``X-CSRF-Token`` of every request that changes something. */
export interface SessionAnswer {
  readonly name: string;
  readonly display_name: string;
  readonly roles: readonly string[];
  readonly csrf: string;
}

/** One meeting that the account may enter, and as what. */
export interface MeetingSummary {
  readonly id: string;
  readonly title: string;
  readonly state: string;
  readonly role: Role;
}

export interface MeetingsAnswer {
  readonly meetings: readonly MeetingSummary[];
}

/** One unit with its names and where it is now. */
export interface RosterSite {
  readonly code: string;
  readonly state: SiteState;
  readonly device: Device | null;
  readonly people: number | null;
  readonly hand: boolean;
  readonly muted: boolean;
  readonly line: "bad" | "good" | "weak" | null;
  readonly microphone: boolean;
  readonly camera: boolean;
  readonly excuse: string | null;
  readonly simulated: boolean;
  readonly step: "audio-only" | "fewer-frames" | "full" | "half" | "quarter" | "still" | null;
  readonly reason: "bandwidth" | "delay" | "loss" | "room" | "silent" | null;
  readonly step_at: number | null;
  readonly name: string;
  readonly district: string;
  readonly district_code: string;
  readonly sort: string;
}

/** One page of the roster as of ``seq``; ``total`` counts all that match. */
export interface RosterAnswer {
  readonly seq: number;
  readonly total: number;
  readonly sites: readonly RosterSite[];
}

/** One district, and its place on the schematic tile map. */
export interface DistrictInfo {
  readonly code: string;
  readonly name: string;
  readonly tile_row: number;
  readonly tile_col: number;
  readonly units: number;
}

export interface DistrictsAnswer {
  readonly districts: readonly DistrictInfo[];
}

/** One page of the speaker queue. */
export interface HandsAnswer {
  readonly seq: number;
  readonly version: number;
  readonly total: number;
  readonly hands: readonly SiteRef[];
}

/** A link that opens the door; never its token, which only its maker saw once. */
export interface LinkInfo {
  readonly id: string;
  readonly role: Role;
  readonly site: SiteRef | null;
  readonly device: Device | null;
  readonly kind: LinkKind;
  readonly created_at: number;
  readonly expires_at: number;
}

export interface LinksAnswer {
  readonly links: readonly LinkInfo[];
}

/** A fresh link. The secret is told only now: a page's is in the URL, another's stands beside it. */
export interface LinkAnswer {
  readonly id: string;
  readonly url: string;
  readonly token: string | null;
}

/** One recording, or what is left to say of a deleted one. While it is under way its size grows. */
export interface RecordingInfo {
  readonly id: string;
  readonly state: "deleted" | "ready" | "recording";
  readonly started_at: number;
  readonly duration_s: number;
  readonly size_bytes: number;
  readonly mended: boolean;
  readonly deleted_at: number | null;
  readonly deleted_by: string | null;
}

/** The newest first. ``keep_days`` 0: for ever. */
export interface RecordingsAnswer {
  readonly keep_days: number;
  readonly recordings: readonly RecordingInfo[];
}
