export const viSetup = {} as const;
