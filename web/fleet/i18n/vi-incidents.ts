export const viIncidents = {} as const;
