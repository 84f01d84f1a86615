import type { viAudit } from "./vi-audit";

export const enAudit: Readonly<Record<keyof typeof viAudit, string>> = {};
