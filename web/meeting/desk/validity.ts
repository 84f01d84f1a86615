/** How long a new link opens the door. Days are Hà Nội's, which knows no summer time. */
export const VALIDITIES = ["today", "week", "month"] as const;
export type Validity = (typeof VALIDITIES)[number];

const DAY_S = 86_400;
const HANOI_AHEAD_S = 7 * 3_600;
const SHORTEST_S = 60; // the server makes none that is shorter

/** When a link made now would end, in seconds UTC. */
export function endOf(validity: Validity, now_s: number): number {
  if (validity === "today") {
    const midnight_s = (Math.floor((now_s + HANOI_AHEAD_S) / DAY_S) + 1) * DAY_S - HANOI_AHEAD_S;
    return Math.max(midnight_s - 1, now_s + SHORTEST_S);
  }
  return now_s + (validity === "week" ? 7 : 30) * DAY_S;
}
