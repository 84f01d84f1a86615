export const viList = {} as const;
