import type { viMap } from "./vi-map";

export const enMap: Readonly<Record<keyof typeof viMap, string>> = {};
