/** What a room keeps beside the state of the meeting. */
import type * as devices from "../shared/devices";
import type { Memory, Unsent } from "../shared/line";
import type { DistrictInfo, RosterSite } from "../shared/wire";

/** The own camera, microphone and shared screen. `…On`: what the person wants. */
export interface Own {
  readonly camera: MediaStreamTrack | null;
  readonly microphone: MediaStreamTrack | null;
  readonly screen: MediaStreamTrack | null;
  readonly cameraOn: boolean;
  readonly microphoneOn: boolean;
}

/** What the person did last, and how to take it back. */
export interface Undoable {
  readonly at_ms: number;
  readonly act: string; // the event's type it led to
  readonly undo: () => Unsent | null;
}

export interface Notice {
  readonly code: string;
  readonly at_ms: number;
}

export interface Roster {
  readonly status: "unasked" | "loading" | "here" | "failed";
  readonly sites: readonly RosterSite[];
  readonly districts: readonly DistrictInfo[];
}

/** What the wall's slots show, and since when (`performance.now`). */
export interface WallTold {
  readonly sites: readonly string[];
  readonly at_ms: number;
}

export interface Entry {
  readonly meeting: string;
  readonly ticket: () => Promise<string>;
  readonly memory: Memory;
  readonly remember: (memory: Memory) => void;
  readonly choice: devices.Choice;
  readonly camera: MediaStreamTrack | null;
  readonly microphone: MediaStreamTrack | null;
  /** Nobody has checked the devices: open them once it is known that this member sends. */
  readonly unchecked: boolean;
}
