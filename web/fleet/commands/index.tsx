import type { DeviceAnswer, DeviceRow } from "../../shared/fleet-wire";
import { PageHead } from "../ui";
import { useT } from "../i18n";

/** Every command of the fleet. */
export function CommandsPage() {
  const t = useT();
  return <PageHead title={t("nav.commands")} />;
}

/** The tab of the device's page: commands past and upcoming, and asking for one. */
export function DeviceCommands(_: { readonly device: DeviceAnswer }) {
  return null;
}

interface BulkProps {
  /** What was chosen in the list. */
  readonly devices: readonly DeviceRow[];
  readonly onClose: () => void;
}

/** A dialogue: one command for many devices, with a dry run. */
export function BulkCommands(_: BulkProps) {
  return null;
}

/** The tab of the device's page: pictures of its screen, each look audited. */
export function DeviceScreenshots(_: { readonly device: DeviceAnswer }) {
  return null;
}
