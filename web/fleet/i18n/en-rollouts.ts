import type { viRollouts } from "./vi-rollouts";

export const enRollouts: Readonly<Record<keyof typeof viRollouts, string>> = {};
