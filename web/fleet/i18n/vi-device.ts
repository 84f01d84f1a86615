export const viDevice = {} as const;
