export const viCommands = {} as const;
