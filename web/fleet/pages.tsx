/** Which page an address means, and who may open it. */
import type { ComponentChildren } from "preact";
import type { Action } from "../shared/fleet-wire";
import { AuditPage } from "./audit";
import { CommandsPage } from "./commands";
import { DevicePage } from "./device";
import { EnrolPage } from "./enrol";
import type { Key } from "./i18n";
import { ICONS } from "./icons";
import { IncidentsPage } from "./incidents";
import { ListPage } from "./list";
import { MapPage } from "./map";
import { RolloutsPage } from "./rollouts";
import { SetupPage } from "./setup";

export interface Part {
  /** The first word of its address; the list has none. */
  readonly path: string;
  readonly word: Extract<Key, `nav.${string}`>;
  readonly icon: ComponentChildren;
  readonly needs: Action;
  readonly page: () => ComponentChildren;
}

export const PARTS: readonly Part[] = [
  { path: "", word: "nav.devices", icon: ICONS.devices, needs: "see", page: () => <ListPage /> },
  { path: "map", word: "nav.map", icon: ICONS.map, needs: "see", page: () => <MapPage /> },
  { path: "incidents", word: "nav.incidents", icon: ICONS.incidents, needs: "see", page: () => <IncidentsPage /> },
  { path: "commands", word: "nav.commands", icon: ICONS.commands, needs: "see", page: () => <CommandsPage /> },
  { path: "rollouts", word: "nav.rollouts", icon: ICONS.rollouts, needs: "see", page: () => <RolloutsPage /> },
  { path: "enrol", word: "nav.enrol", icon: ICONS.enrol, needs: "enrol", page: () => <EnrolPage /> },
  { path: "audit", word: "nav.audit", icon: ICONS.audit, needs: "see-audit", page: () => <AuditPage /> },
  { path: "setup", word: "nav.setup", icon: ICONS.setup, needs: "set-up", page: () => <SetupPage /> },
];

/** The part an address belongs to; a device's page belongs to the list. */
export function partOf(path: readonly string[]): Part | null {
  const first = path[0] ?? "";
  if (first === "devices") return PARTS[0] ?? null;
  return PARTS.find((part) => part.path === first) ?? null;
}

export function pageOf(path: readonly string[]): ComponentChildren {
  if (path[0] === "devices" && path[1] !== undefined) return <DevicePage key={path[1]} id={path[1]} />;
  return partOf(path)?.page() ?? null;
}
