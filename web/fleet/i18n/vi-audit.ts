export const viAudit = {} as const;
