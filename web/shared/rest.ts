/** The REST part of the protocol: entering, and pages of long lists. */
import { Refused } from "./problem";
import type {
  Device,
  DistrictInfo,
  DistrictsAnswer,
  ErrorBody,
  HandsAnswer,
  LinkAnswer,
  LinkInfo,
  LinkKind,
  LinksAnswer,
  MeetingsAnswer,
  MeetingSummary,
  RosterAnswer,
  RosterSite,
  SessionAnswer,
  TicketAnswer,
} from "./wire";

const TIMEOUT_MS = 10_000;
const ROSTER_PAGE = 100;
const LINKS_PAGE = 100;

export interface Asked {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export async function ask<T>(path: string, { method = "GET", body, headers = {} }: Asked = {}): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      credentials: "same-origin",
      cache: "no-store",
      headers: { ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    throw new Refused("offline", "the server cannot be reached");
  }
  if (!response.ok) throw await refusal(response);
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

async function refusal(response: Response): Promise<Refused> {
  try {
    const error = (await response.json()) as Partial<ErrorBody>;
    if (typeof error.code === "string") return new Refused(error.code, error.text ?? "", error.field ?? null);
  } catch {
    // Not one of ours: a proxy's page, most likely.
  }
  return new Refused(response.status >= 500 ? "offline" : "internal", `HTTP ${response.status}`);
}

// --- account ---

/** Who is logged in, or null. */
export async function whoAmI(): Promise<SessionAnswer | null> {
  try {
    return await ask<SessionAnswer>("/api/session");
  } catch (error) {
    if (error instanceof Refused && error.code !== "offline") return null;
    throw error;
  }
}

export function logIn(name: string, password: string): Promise<SessionAnswer> {
  return ask("/api/session", { method: "POST", body: { name, password } });
}

export function logOut(csrf: string): Promise<void> {
  return ask("/api/session", { method: "DELETE", headers: { "X-CSRF-Token": csrf } });
}

export async function meetings(): Promise<readonly MeetingSummary[]> {
  return (await ask<MeetingsAnswer>("/api/meetings")).meetings;
}

// --- entering ---

export function ticketByLink(link: string): Promise<TicketAnswer> {
  return ask("/api/tickets", { method: "POST", body: { link } });
}

export function ticketByAccount(meeting: string, csrf: string): Promise<TicketAnswer> {
  return ask("/api/tickets", { method: "POST", body: { meeting }, headers: { "X-CSRF-Token": csrf } });
}

// --- within a meeting ---

function bearer(resume: string): Asked {
  return { headers: { Authorization: `Bearer ${resume}` } };
}

/** The whole roster, page by page, as of the oldest page's `seq`. */
export async function roster(
  meeting: string,
  resume: string,
): Promise<{ readonly seq: number; readonly list: readonly RosterSite[] }> {
  const list: RosterSite[] = [];
  let seq = Infinity;
  for (;;) {
    const path = `/api/meetings/${encodeURIComponent(meeting)}/roster?offset=${list.length}&limit=${ROSTER_PAGE}`;
    const page = await ask<RosterAnswer>(path, bearer(resume));
    list.push(...page.sites);
    seq = Math.min(seq, page.seq);
    if (page.sites.length === 0 || list.length >= page.total) return { seq, list };
  }
}

export async function districts(meeting: string, resume: string): Promise<readonly DistrictInfo[]> {
  const path = `/api/meetings/${encodeURIComponent(meeting)}/districts`;
  return (await ask<DistrictsAnswer>(path, bearer(resume))).districts;
}

export function handsPage(meeting: string, resume: string, offset: number, limit: number): Promise<HandsAnswer> {
  const path = `/api/meetings/${encodeURIComponent(meeting)}/hands?offset=${offset}&limit=${limit}`;
  return ask(path, bearer(resume));
}

// --- links, for the chair and the operator ---

export interface NewLink {
  readonly kind: LinkKind;
  readonly role: "site" | "observer";
  readonly site: string;
  readonly device?: Device;
  readonly ttl_s: number;
}

function linksPath(meeting: string): string {
  return `/api/meetings/${encodeURIComponent(meeting)}/links`;
}

/** The live links of one site, the newest first. */
export async function linksOf(meeting: string, resume: string, site: string): Promise<readonly LinkInfo[]> {
  const found = new Map<string, LinkInfo>(); // one that is made meanwhile moves another into the next page
  for (let offset = 0; ; offset += LINKS_PAGE) {
    const path = `${linksPath(meeting)}?site=${encodeURIComponent(site)}&offset=${offset}&limit=${LINKS_PAGE}`;
    const { links } = await ask<LinksAnswer>(path, bearer(resume));
    for (const link of links) found.set(link.id, link);
    if (links.length < LINKS_PAGE) return [...found.values()];
  }
}

export function makeLink(meeting: string, resume: string, wanted: NewLink): Promise<LinkAnswer> {
  return ask(linksPath(meeting), { method: "POST", body: wanted, ...bearer(resume) });
}

export function revokeLink(meeting: string, resume: string, link: string): Promise<void> {
  return ask(`${linksPath(meeting)}/${encodeURIComponent(link)}`, { method: "DELETE", ...bearer(resume) });
}
