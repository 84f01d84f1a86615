// Made by `python -m signaling.wire.typescript web/shared/kiosk-wire.ts` from the Python types. Do not edit.

/** What lets the device be enrolled. The QR is at ``qr.svg`` beside the page. */
export interface PairingShown {
  readonly code: string;
  readonly words: readonly string[];
  readonly minutes: number;
}

/** A text in Vietnamese, and in English where it was translated. */
export interface Words {
  readonly vi: string;
  readonly en: string;
}

/** One announcement as residents see it. */
export interface Announcement {
  readonly id: string;
  readonly title: Words;
  readonly text: Words;
  readonly picture: string;
  readonly seconds: number;
  readonly private: boolean;
}

/**
 * All that is to be drawn. ``scene`` is the page; everything else is what stands on it.
 *
 * ``wait``: please wait a moment. ``pairing``: the device is not enrolled yet. ``sent-away``: it is, and the
 * city does not let it in. ``attract``: the resting screen. ``session``: a resident is reading.
 */
export interface Shown {
  readonly type: "shown";
  readonly v: 1;
  readonly scene: "attract" | "out-of-service" | "pairing" | "sent-away" | "session" | "wait";
  readonly now: number | null;
  readonly name: string;
  readonly online: boolean;
  readonly message: string;
  readonly code: string;
  readonly pairing: PairingShown | null;
  readonly announcements: readonly Announcement[];
  readonly session: number;
  readonly idle_s: number;
  readonly language: "en" | "vi";
  readonly text_size: "large" | "normal";
  readonly mm_per_px: number | null;
  readonly low_reach_mm: number | null;
}

/** A resident touched the resting screen. */
export interface Begin {
  readonly type: "begin";
}

/** The resident is still there. Told at most once a second. */
export interface Touched {
  readonly type: "touched";
}

/** The resident is done: "Xoá và thoát". */
export interface Finish {
  readonly type: "finish";
}

export type PageMessage =
  | Begin
  | Touched
  | Finish;
