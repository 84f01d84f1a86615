import type { Translate } from "./i18n";
import type { Key } from "./i18n/vi";

const REFUSALS: Readonly<Record<string, Extract<Key, `refused.${string}`>>> = {
  "stale": "refused.stale",
  "not-allowed": "refused.not-allowed",
  "wrong-state": "refused.wrong-state",
  "unknown-site": "refused.unknown-site",
  "locked": "refused.locked",
  "ended": "refused.ended",
  "limit": "refused.limit",
  "invalid": "refused.invalid",
  "busy": "refused.busy",
  "not-stored": "refused.not-stored",
  "no-recorder": "refused.no-recorder",
  "disk-full": "refused.disk-full",
  "offline": "refused.offline",
  "in-doubt": "refused.not-stored",
  "wrong-password": "refused.bad-login",
  "too-many": "refused.slow-down",
  "unknown-recording": "refused.unknown-recording",
  "still-recording": "refused.still-recording",
  "unknown-link": "refused.unknown-link",
  "bad-token": "refused.window",
  "expired": "refused.window",
  "revoked": "refused.window",
  "rate-limited": "refused.busy",
};

/** A refusal in a sentence, by its code. */
export function refusal(t: Translate, code: string): string {
  return t(REFUSALS[code] ?? "refused.internal");
}
