import type { viWall } from "./vi-wall";

export const enWall: Readonly<Record<keyof typeof viWall, string>> = {};
