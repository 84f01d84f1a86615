/** The audit's filters between the page's address and the server. Pure. */
const FILTERS = ["account", "action", "device", "since", "until"] as const;
const DAY_S = 86_400;
const HANOI_AHEAD_S = 7 * 3_600;

/** What is in the address, as the server asks for it; begins with `&`, or is empty. */
export function wantedBy(query: URLSearchParams): string {
  const wanted = new URLSearchParams();
  for (const name of FILTERS) {
    const value = query.get(name) ?? "";
    if (value === "") continue;
    const days = name === "since" || name === "until" ? Date.parse(`${value}T00:00:00Z`) / 1000 - HANOI_AHEAD_S : null;
    if (days === null) wanted.set(name, value);
    else if (!Number.isNaN(days)) wanted.set(name, String(name === "until" ? days + DAY_S : days));
  }
  const text = wanted.toString();
  return text === "" ? "" : `&${text}`;
}
