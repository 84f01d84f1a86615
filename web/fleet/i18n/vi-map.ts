export const viMap = {} as const;
