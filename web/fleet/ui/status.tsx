/** How a device is: colour and shape and word, so that a greyscale print of the map still tells. */
import type { ComponentChildren } from "preact";
import type { Status } from "../../shared/fleet-wire";
import { useT } from "../i18n";

/** The worst first. */
export const STATUSES: readonly Status[] = [
  "offline",
  "faulty",
  "degraded",
  "out-of-service",
  "quarantined",
  "new",
  "closed",
  "ok",
];

/** 0 is the worst. */
export const RANK: ReadonlyMap<Status, number> = new Map(STATUSES.map((status, i) => [status, i]));

export function ofRank(rank: number): Status {
  return STATUSES[rank] ?? "ok";
}

export function worst(all: Iterable<Status>): Status | null {
  let found: number | null = null;
  for (const status of all) {
    const rank = RANK.get(status) ?? 0;
    if (found === null || rank < found) found = rank;
  }
  return found === null ? null : ofRank(found);
}

/** The shape on a field of 10×10, for use inside a drawing. What is well is small: what is not stands out. */
export function StatusShape({ status, x = 0, y = 0 }: { readonly status: Status; readonly x?: number; readonly y?: number }) {
  return (
    <g transform={`translate(${x} ${y})`} class={`shape s-${status}`}>
      {shapeOf(status)}
    </g>
  );
}

function shapeOf(status: Status) {
  switch (status) {
    case "offline": // a filled field, crossed out
      return (
        <>
          <rect width="10" height="10" rx="1.5" class="full" />
          <path d="M2.8 2.8l4.4 4.4M7.2 2.8L2.8 7.2" class="cut" />
        </>
      );
    case "faulty": // a filled triangle
      return (
        <>
          <path d="M5 .4L10 9.6H0z" class="full" />
          <path d="M5 3.6v2.8M5 7.9v.2" class="cut" />
        </>
      );
    case "degraded": // a half-filled diamond
      return (
        <>
          <path d="M5 .8L9.2 5 5 9.2.8 5z" class="line" />
          <path d="M5 .8V9.2L.8 5z" class="full" />
        </>
      );
    case "out-of-service": // a bar
      return <rect x="0.5" y="3.4" width="9" height="3.2" rx="0.6" class="full" />;
    case "quarantined": // a hollow field with a bar
      return (
        <>
          <rect x="0.8" y="0.8" width="8.4" height="8.4" rx="1.4" class="line" />
          <path d="M2.6 7.4l4.8-4.8" class="line" />
        </>
      );
    case "new": // a ring
      return <circle cx="5" cy="5" r="3.2" class="line" stroke-dasharray="2 1.4" />;
    case "closed": // a small ring
      return <circle cx="5" cy="5" r="2.2" class="line" />;
    case "ok": // a dot
      return <circle cx="5" cy="5" r="2.6" class="full" />;
  }
}

interface MarkProps {
  readonly status: Status;
  /** Without the word: it is said to screen readers and in the title only. */
  readonly bare?: boolean;
  readonly size?: number;
}

export function StatusMark({ status, bare = false, size = 14 }: MarkProps) {
  const t = useT();
  const word = t(`status.${status}`);
  return (
    <span class={`status-mark s-${status}`} title={bare ? word : undefined} data-status={status}>
      <svg width={size} height={size} viewBox="0 0 10 10" aria-hidden="true">
        <StatusShape status={status} />
      </svg>
      <span class={bare ? "sr" : "word"}>{word}</span>
    </span>
  );
}

/** How much something matters, for states that are not a device's. */
export type Tone = "bad" | "warn" | "ok" | "info" | "quiet";

/** A shape of that tone and a word: for incidents, commands, rollouts. */
export function Mark({ tone, children, size = 14 }: { readonly tone: Tone; readonly children: ComponentChildren; readonly size?: number }) {
  return (
    <span class={`status-mark tone-${tone}`}>
      <svg width={size} height={size} viewBox="0 0 10 10" aria-hidden="true">
        <g class="shape">{toneShape(tone)}</g>
      </svg>
      <span class="word">{children}</span>
    </span>
  );
}

function toneShape(tone: Tone) {
  switch (tone) {
    case "bad":
      return <path d="M5 .4L10 9.6H0z" class="full" />;
    case "warn":
      return (
        <>
          <path d="M5 .8L9.2 5 5 9.2.8 5z" class="line" />
          <path d="M5 .8V9.2L.8 5z" class="full" />
        </>
      );
    case "ok":
      return <path d="M1.4 5.4l2.5 2.6 4.8-5.6" class="line" />;
    case "info":
      return <circle cx="5" cy="5" r="3.4" class="line" />;
    case "quiet":
      return <rect x="1.4" y="4" width="7.2" height="2" class="full" />;
  }
}

export function Tag({ tone = "quiet", children, title }: { readonly tone?: Tone; readonly children: ComponentChildren; readonly title?: string }) {
  return (
    <span class={`tag tone-${tone}`} title={title}>
      {children}
    </span>
  );
}
