export const viRollouts = {} as const;
