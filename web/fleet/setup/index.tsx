import { PageHead } from "../ui";
import { useT } from "../i18n";

export function SetupPage() {
  const t = useT();
  return <PageHead title={t("nav.setup")} />;
}
