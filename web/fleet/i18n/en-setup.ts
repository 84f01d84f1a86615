import type { viSetup } from "./vi-setup";

export const enSetup: Readonly<Record<keyof typeof viSetup, string>> = {};
