/** A recipient that is not there yet. Pure. */
import type { Route } from "../../shared/fleet-wire";

/** A new one, with an id that no other has. */
export function freshRoute(others: readonly Route[]): Route {
  let n = others.length + 1;
  while (others.some(({ id }) => id === `kenh-${n}`)) n += 1;
  return {
    id: `kenh-${n}`,
    name: "",
    channel: "email",
    addresses: [],
    url: "",
    on: true,
    districts: [],
    least: "major",
    escalations: false,
    digest: false,
    quiet: true,
    language: "vi",
  };
}
