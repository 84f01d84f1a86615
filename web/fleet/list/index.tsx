import { PageHead } from "../ui";
import { useT } from "../i18n";

export function ListPage() {
  const t = useT();
  return <PageHead title={t("nav.devices")} />;
}
