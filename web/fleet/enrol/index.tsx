import { PageHead } from "../ui";
import { useT } from "../i18n";

export function EnrolPage() {
  const t = useT();
  return <PageHead title={t("nav.enrol")} />;
}
