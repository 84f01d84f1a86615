import type { viIncidents } from "./vi-incidents";

export const enIncidents: Readonly<Record<keyof typeof viIncidents, string>> = {};
