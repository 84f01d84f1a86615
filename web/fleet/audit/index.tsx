import { PageHead } from "../ui";
import { useT } from "../i18n";

export function AuditPage() {
  const t = useT();
  return <PageHead title={t("nav.audit")} />;
}
