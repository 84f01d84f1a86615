export const viEnrol = {} as const;
