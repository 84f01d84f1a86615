import { isShare } from "../units";

/** Shares are drawn from nothing; others with some air around. A threshold far away does not flatten the line. */
export function limits(metric: string, least: number | null, most: number | null): [number, number] {
  if (least === null || most === null) return [0, 1];
  const high = most + (most - Math.min(least, 0)) * 0.12;
  if (isShare(metric)) return [0, Math.min(1, Math.max(high, 0.05))];
  return [Math.min(0, least), Math.max(high, metric === "temperature_c" ? 60 : 1)];
}
