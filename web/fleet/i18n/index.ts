/**
 * The fleet's sentences in two languages. Each part of the pages has its own pair of files, `vi-<part>.ts` and
 * `en-<part>.ts`; its keys begin with the part's name. A missing key or parameter is an error when building.
 */
import { fill, language, type Language, type Names } from "../../shared/i18n";
import { en as sharedEn } from "../../shared/i18n/en";
import { vi as sharedVi } from "../../shared/i18n/vi";
import { useStore } from "../../shared/store";
import { enAudit } from "./en-audit";
import { enCommands } from "./en-commands";
import { enDevice } from "./en-device";
import { enEnrol } from "./en-enrol";
import { enIncidents } from "./en-incidents";
import { enList } from "./en-list";
import { enMap } from "./en-map";
import { enRollouts } from "./en-rollouts";
import { enSetup } from "./en-setup";
import { enShell } from "./en-shell";
import { enWall } from "./en-wall";
import { viAudit } from "./vi-audit";
import { viCommands } from "./vi-commands";
import { viDevice } from "./vi-device";
import { viEnrol } from "./vi-enrol";
import { viIncidents } from "./vi-incidents";
import { viList } from "./vi-list";
import { viMap } from "./vi-map";
import { viRollouts } from "./vi-rollouts";
import { viSetup } from "./vi-setup";
import { viShell } from "./vi-shell";
import { viWall } from "./vi-wall";

const VI = {
  ...sharedVi,
  ...viShell,
  ...viList,
  ...viMap,
  ...viDevice,
  ...viWall,
  ...viIncidents,
  ...viCommands,
  ...viRollouts,
  ...viEnrol,
  ...viAudit,
  ...viSetup,
} as const;

export type Sentences = typeof VI;
export type Key = keyof Sentences;

const EN: Readonly<Record<Key, string>> = {
  ...sharedEn,
  ...enShell,
  ...enList,
  ...enMap,
  ...enDevice,
  ...enWall,
  ...enIncidents,
  ...enCommands,
  ...enRollouts,
  ...enEnrol,
  ...enAudit,
  ...enSetup,
};

export const TABLES: Readonly<Record<Language, Readonly<Record<Key, string>>>> = { vi: VI, en: EN };

type Given<K extends Key> = [Names<Sentences[K]>] extends [never]
  ? []
  : [Readonly<Record<Names<Sentences[K]>, string | number>>];

export type Translate = <K extends Key>(key: K, ...given: Given<K>) => string;

export function translator(to: Language): Translate {
  return (key, ...given) => fill(TABLES[to][key], given[0] ?? {}, to);
}

export function useT(): Translate {
  return translator(useStore(language));
}

/** The sentence of a reason, which the server says in both languages. */
export function told(of: Language, said: { readonly vi: string; readonly en: string }): string {
  return of === "vi" ? said.vi : said.en;
}

/** A refusal in a sentence: `refused.<code>` of any part; what has none is said to be our own fault. */
export function refusal(t: Translate, code: string): string {
  const key = SAME[code] ?? `refused.${code}`;
  return isKey(key) ? (t as (key: Key) => string)(key) : t("refused.internal");
}

const SAME: Readonly<Record<string, Key>> = {
  "in-doubt": "refused.not-stored",
  "wrong-password": "refused.bad-login",
  "too-many": "refused.slow-down",
  "rate-limited": "refused.busy",
  "not-owner": "refused.busy",
  "bad-field": "refused.invalid",
  "bad-json": "refused.invalid",
};

function isKey(key: string): key is Key {
  return Object.hasOwn(VI, key);
}
