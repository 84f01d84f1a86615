const LONGEST_WAIT_S = 15;

/** How long to wait before trying for the `n`-th time (from 0): spread out, so that 579 do not come at once. */
export function backoff_s(n: number, random: () => number = Math.random): number {
  const most_s = n === 0 ? 1 : Math.min(LONGEST_WAIT_S, 0.5 * 2 ** n);
  return random() * most_s;
}
