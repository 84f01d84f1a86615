import type { viList } from "./vi-list";

export const enList: Readonly<Record<keyof typeof viList, string>> = {};
