import type { viEnrol } from "./vi-enrol";

export const enEnrol: Readonly<Record<keyof typeof viEnrol, string>> = {};
