export const viWall = {} as const;
