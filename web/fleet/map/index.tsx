import { PageHead } from "../ui";
import { useT } from "../i18n";

export function MapPage() {
  const t = useT();
  return <PageHead title={t("nav.map")} />;
}
