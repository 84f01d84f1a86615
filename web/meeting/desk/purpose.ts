/** What a site's link is for: a page on one of its two devices, an encoder in place of one, or a player. */
import type { NewLink } from "../../shared/rest";
import type { LinkInfo } from "../../shared/wire";

export const PURPOSES = ["primary", "backup", "whip-primary", "whip-backup", "whep"] as const;
export type Purpose = (typeof PURPOSES)[number];

export function purposeOf(link: LinkInfo): Purpose {
  if (link.kind === "whep") return "whep";
  const device = link.device ?? "primary";
  return link.kind === "whip" ? `whip-${device}` : device;
}

/** What is asked of the server. A player is an observer; the site says whose screen it is. */
export function wanted(purpose: Purpose, site: string, ttl_s: number): NewLink {
  if (purpose === "whep") return { kind: "whep", role: "observer", site, ttl_s };
  const device = purpose.endsWith("backup") ? "backup" : "primary";
  return { kind: purpose.startsWith("whip") ? "whip" : "page", role: "site", site, device, ttl_s };
}
