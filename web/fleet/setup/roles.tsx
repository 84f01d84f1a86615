/** Who has which role in the fleet. */
import { useState } from "preact/hooks";
import type { FleetRole, RoleRow, RolesAnswer } from "../../shared/fleet-wire";
import { useT } from "../i18n";
import { shortName } from "../place-words";
import { Confirm, Field, Problem, Skeleton, Table, toast, useFleet, useLive, usePlaces, type Column } from "../ui";

const ROLES: readonly FleetRole[] = ["viewer", "technician", "administrator"];

export function RolesTab() {
  const t = useT();
  const fleet = useFleet();
  const places = usePlaces();
  const asked = useLive(() => fleet.ask<RolesAnswer>("/roles"), [], (changed) => changed.audit);
  const [editing, setEditing] = useState<RoleRow | null>(null);
  if (asked.value === undefined) return asked.error === null ? <Skeleton /> : <Problem error={asked.error} again={asked.again} />;
  const where = (row: RoleRow) => {
    if (row.role === null) return "";
    if (row.districts.length === 0) return row.role === "technician" ? t("setup.nowhere") : t("setup.everywhere");
    return row.districts.map((code) => shortName(places?.district.get(code)?.name ?? code)).join(", ");
  };
  const columns: readonly Column<RoleRow>[] = [
    {
      id: "who",
      head: t("setup.role.who"),
      width: "minmax(0, 2fr)",
      cell: (row) => (
        <span class="what">
          <span>{row.name}</span>
          <span class="aside">{row.account}</span>
        </span>
      ),
    },
    { id: "role", head: t("setup.role"), width: "200px", cell: (row) => (row.role === null ? t("setup.role.none") : t(`role.fleet.${row.role}`)) },
    { id: "where", head: t("setup.districts"), width: "minmax(0, 3fr)", cell: (row) => <span title={where(row)}>{where(row)}</span> },
    {
      id: "act",
      head: "",
      width: "110px",
      cell: (row) => (
        <button class="btn small" data-testid="edit-role" onClick={() => setEditing(row)}>
          {t("setup.edit")}
        </button>
      ),
    },
  ];
  return (
    <>
      <Table label={t("setup.tab.roles")} rows={asked.value.accounts} columns={columns} keyOf={(row) => row.account} rowPx={60} testid="roles" />
      {editing !== null && (
        <EditRole
          row={editing}
          onSave={async (role, districts) => {
            await fleet.ask(`/roles/${encodeURIComponent(editing.account)}`, { method: "PUT", body: { role, districts } });
            toast(t("ui.saved"));
            asked.again();
          }}
          onClose={() => setEditing(null)}
        />
      )}
    </>
  );
}

interface Props {
  readonly row: RoleRow;
  readonly onSave: (role: FleetRole | null, districts: readonly string[]) => Promise<void>;
  readonly onClose: () => void;
}

function EditRole({ row, onSave, onClose }: Props) {
  const t = useT();
  const places = usePlaces();
  const [role, setRole] = useState<FleetRole | "">(row.role ?? "");
  const [districts, setDistricts] = useState<readonly string[]>(row.districts);
  const needs = role === "technician" && districts.length === 0;
  return (
    <Confirm title={row.name} verb={t("ui.save")} disabled={needs} onDo={() => onSave(role === "" ? null : role, role === "" || role === "administrator" ? [] : districts)} onClose={onClose}>
      <Field label={t("setup.role")} hint={role === "" ? t("setup.role.none.hint") : t(`setup.role.${role}.hint`)}>
        <select class="input" value={role} data-testid="role" onChange={(event) => setRole(event.currentTarget.value as FleetRole | "")}>
          <option value="">{t("setup.role.none")}</option>
          {ROLES.map((one) => (
            <option key={one} value={one}>
              {t(`role.fleet.${one}`)}
            </option>
          ))}
        </select>
      </Field>
      {(role === "technician" || role === "viewer") && (
        <Field label={t("setup.districts")} hint={t(role === "technician" ? "setup.role.districts" : "setup.districts.hint")}>
          <select class="input" multiple size={8} data-testid="role-districts" onChange={(event) => setDistricts([...event.currentTarget.selectedOptions].map(({ value }) => value))}>
            {(places?.districts ?? []).map(({ code, name }) => (
              <option key={code} value={code} selected={districts.includes(code)}>
                {shortName(name)}
              </option>
            ))}
          </select>
        </Field>
      )}
    </Confirm>
  );
}
