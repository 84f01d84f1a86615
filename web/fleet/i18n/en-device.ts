import type { viDevice } from "./vi-device";

export const enDevice: Readonly<Record<keyof typeof viDevice, string>> = {};
