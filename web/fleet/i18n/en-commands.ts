import type { viCommands } from "./vi-commands";

export const enCommands: Readonly<Record<keyof typeof viCommands, string>> = {};
