/** How a site looks on the roll and on the map: colour and shape and word, safe in greyscale. */
import { isReduced } from "../../shared/steps";
import type { SiteRow } from "../../shared/wire";

export type Look = "floor" | "present" | "weak" | "audio" | "away" | "expected" | "left" | "excused";

/** In the order of the legend; those that speak or receive less are among the present. */
export const LOOKS: readonly Look[] = ["present", "floor", "weak", "audio", "away", "expected", "left", "excused"];

export function lookOf(row: SiteRow | undefined, floor: string | null): Look {
  if (row === undefined) return "expected";
  if (row.state !== "present") return row.state;
  if (row.code === floor) return "floor";
  if (row.step === "audio-only") return "audio";
  return row.line === "weak" || row.line === "bad" || isReduced(row.step) ? "weak" : "present";
}

export function wordOf(look: Look): `state.${Look}` {
  return `state.${look}`;
}

/** The shape on a field of 10×10, for use inside a drawing. */
export function Shape({ look, x = 0, y = 0 }: { readonly look: Look; readonly x?: number; readonly y?: number }) {
  const at = `translate(${x} ${y})`;
  switch (look) {
    case "floor":
      return (
        <g transform={at} class="look floor">
          <rect width="10" height="10" rx="1.5" />
          <circle cx="5" cy="5" r="2.2" class="eye" />
        </g>
      );
    case "present":
      return <rect transform={at} class="look present" x="0.5" y="0.5" width="9" height="9" rx="1" />;
    case "weak":
      return (
        <g transform={at} class="look weak">
          <rect x="1" y="1" width="8" height="8" rx="1" class="hollow" />
          <path d="M1 1v8h8z" />
        </g>
      );
    case "audio":
      return (
        <g transform={at} class="look audio">
          <rect x="1" y="1" width="8" height="8" rx="1" class="hollow" />
          <rect x="1" y="6.2" width="8" height="2.8" />
        </g>
      );
    case "away":
      return <circle transform={at} class="look away hollow" cx="5" cy="5" r="3.6" />;
    case "expected":
      return <circle transform={at} class="look expected" cx="5" cy="5" r="2" />;
    case "left":
      return <path transform={at} class="look left hollow" d="M2 2l6 6M8 2L2 8" />;
    case "excused":
      return <rect transform={at} class="look excused" x="1" y="3.8" width="8" height="2.4" />;
  }
}

export function Mark({ look, size = 14 }: { readonly look: Look; readonly size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 10 10" aria-hidden="true">
      <Shape look={look} />
    </svg>
  );
}
