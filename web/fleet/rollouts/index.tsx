import { PageHead } from "../ui";
import { useT } from "../i18n";

export function RolloutsPage() {
  const t = useT();
  return <PageHead title={t("nav.rollouts")} />;
}
