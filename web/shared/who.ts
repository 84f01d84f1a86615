/** Who did something, as the server tells it: a name, or for whoever came by a link without one the role. */
import type { Translate } from "./i18n";
import type { Role } from "./wire";

const ROLES: readonly Role[] = ["chair", "secretary", "operator", "site", "observer"];

export function whoDid(t: Translate, by: string): string {
  const role = ROLES.find((one) => one === by);
  if (role !== undefined) return t(`role.${role}`);
  return by === "command line" ? t("by.command-line") : by;
}
