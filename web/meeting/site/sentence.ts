/** What happens next, in a sentence, for a bridge point. A pure function of what is known. */
import { span, type Translate } from "../../shared/i18n";
import type { LineStatus } from "../../shared/line";
import type { MediaState } from "../../shared/peering";
import { refusal } from "../../shared/refusal";
import type { RoomState } from "../../shared/state";

export type Tone = "calm" | "good" | "call" | "bad";

export interface Sentence {
  readonly text: string;
  readonly tone: Tone;
}

export interface Situation {
  readonly state: RoomState;
  readonly line: LineStatus["kind"];
  readonly media: MediaState["status"];
  readonly justBack: boolean;
  readonly microphoneOn: boolean;
  readonly place: number | null;
  readonly waiting: boolean; // the own name is on the list, wherever
  readonly refused: string | null; // the code of what was just refused
  readonly quiet: boolean; // the buttons are out of sight: the first press only shows them
  readonly now_s: number;
}

export function sentence(t: Translate, at: Situation): Sentence {
  const { state, place } = at;
  const own = state.you?.site?.code ?? null;
  if (at.line !== "open") return { text: t("line.lost"), tone: "bad" };
  if (state.meeting?.ended === true) return { text: t("site.next.ended"), tone: "calm" };
  if (at.refused !== null) return { text: refusal(t, at.refused), tone: "bad" };
  if (own !== null && state.floor?.site?.code === own) return invited(t, at);
  if (at.justBack) return { text: t("line.back"), tone: "good" };
  if (at.media === "lost") return { text: t("media.lost"), tone: "bad" };
  if (at.media !== "up") return { text: t("media.connecting"), tone: "calm" };
  if (state.meeting?.mode === "break") return { text: t("site.next.break"), tone: "calm" };
  if (own === null) return { text: t("site.next.chair-only"), tone: "calm" };
  if (place === 1) return { text: t("site.next.place.first"), tone: "good" };
  if (place !== null) return { text: t("site.next.place", { n: place }), tone: "good" };
  if (at.waiting) return { text: t("site.next.place.far"), tone: "good" };
  if (state.meeting?.mode === "open") {
    if (state.microphones?.you_may_speak !== true) return { text: t("site.next.muted"), tone: "calm" };
    return { text: at.microphoneOn ? t("site.next.open") : t("site.next.open.off"), tone: "good" };
  }
  if (state.microphones?.you_are_muted === true) return { text: t("site.next.muted"), tone: "calm" };
  return { text: t(at.quiet ? "site.next.watch.quiet" : "site.next.watch"), tone: "calm" };
}

function invited(t: Translate, { state, microphoneOn, now_s }: Situation): Sentence {
  if (state.microphones?.you_may_speak === false) return { text: t("site.next.invited.muted"), tone: "bad" };
  if (!microphoneOn) return { text: t("site.next.invited.off"), tone: "call" };
  const until = state.floor?.until ?? null;
  if (until === null) return { text: t("site.next.invited"), tone: "call" };
  return { text: t("site.next.invited.until", { time: span(until - now_s) }), tone: "call" };
}
