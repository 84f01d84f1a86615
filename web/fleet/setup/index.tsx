/** Where notices of incidents go, when, what became of them, and who may do what. For administrators. */
import { place, setQuery } from "../router";
import { useT } from "../i18n";
import { PageHead, Tabs, useStore } from "../ui";
import { NoticesTab } from "./notices";
import { OutgoingTab } from "./outgoing";
import { RolesTab } from "./roles";
import "./setup.css";

type Tab = "notices" | "outgoing" | "roles";

export function SetupPage() {
  const t = useT();
  const asked = useStore(place, (now) => now.query.get("tab"));
  const tab: Tab = asked === "outgoing" || asked === "roles" ? asked : "notices";
  return (
    <div class="setup">
      <PageHead title={t("nav.setup")} sub={t("setup.sub")} />
      <Tabs
        label={t("nav.setup")}
        tabs={[
          { id: "notices", label: t("setup.tab.notices") },
          { id: "outgoing", label: t("setup.tab.outgoing") },
          { id: "roles", label: t("setup.tab.roles") },
        ]}
        current={tab}
        onChange={(id) => setQuery({ tab: id === "notices" ? null : id })}
      />
      {tab === "notices" && <NoticesTab />}
      {tab === "outgoing" && <OutgoingTab />}
      {tab === "roles" && <RolesTab />}
    </div>
  );
}
