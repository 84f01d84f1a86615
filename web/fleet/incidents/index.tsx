import { PageHead } from "../ui";
import { useT } from "../i18n";

export function IncidentsPage() {
  const t = useT();
  return <PageHead title={t("nav.incidents")} />;
}
