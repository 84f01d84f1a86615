/** Who has which part in the fleet: every account, its role and its districts. */
import { useMemo, useState } from "preact/hooks";
import type { FleetRole, RoleRow, RolesAnswer } from "../../shared/fleet-wire";
import { fold, matches } from "../../shared/fold";
import { useT } from "../i18n";
import { shortName } from "../place-words";
import { Confirm, Empty, Field, FilterBar, PageHead, Problem, SearchBox, Skeleton, Table, toast, useFleet, useLive, usePlaces, type Column } from "../ui";
import "./people.css";

const ROLES: readonly FleetRole[] = ["viewer", "technician", "administrator"];

export function PeoplePage() {
  const t = useT();
  const fleet = useFleet();
  const places = usePlaces();
  const { value, error, again } = useLive(() => fleet.ask<RolesAnswer>("/roles"), [], (changed) => changed.audit);
  const [text, setText] = useState("");
  const [editing, setEditing] = useState<RoleRow | null>(null);
  const rows = useMemo(() => {
    const words = fold(text);
    const found = (value?.accounts ?? []).filter(({ account, name }) => matches(fold(`${name} ${account}`), words));
    return [...found].sort((a, b) => Number(a.role === null) - Number(b.role === null) || a.name.localeCompare(b.name, "vi"));
  }, [value, text]);
  const columns: readonly Column<RoleRow>[] = [
    { id: "name", head: t("people.name"), width: "minmax(180px, 1fr)", cell: ({ name }) => <strong>{name}</strong> },
    { id: "account", head: t("people.account"), width: "160px", cell: ({ account }) => account },
    {
      id: "role",
      head: t("people.role"),
      width: "160px",
      cell: ({ role }) => (role === null ? <span class="aside">{t("people.nothing")}</span> : t(`role.fleet.${role}`)),
    },
    {
      id: "districts",
      head: t("people.districts"),
      width: "minmax(200px, 2fr)",
      cell: ({ role, districts }) =>
        role === null || role === "administrator"
          ? ""
          : districts.length > 0
            ? districts.map((code) => shortName(places?.district.get(code)?.name ?? code)).join(", ")
            : t(role === "technician" ? "people.nowhere" : "people.everywhere"),
    },
  ];
  return (
    <div class="people">
      <PageHead title={t("nav.people")} sub={t("people.sub")} />
      <FilterBar>
        <SearchBox label={t("people.search")} value={text} onInput={setText} />
      </FilterBar>
      {value === undefined ? (
        error === null ? (
          <Skeleton />
        ) : (
          <Problem error={error} again={again} />
        )
      ) : (
        <Table
          label={t("nav.people")}
          rows={rows}
          columns={columns}
          keyOf={({ account }) => account}
          onOpen={setEditing}
          empty={<Empty title={t("people.none")} />}
          testid="people"
        />
      )}
      {editing !== null && <EditRole row={editing} again={again} onClose={() => setEditing(null)} />}
    </div>
  );
}

function EditRole({ row, again, onClose }: { readonly row: RoleRow; readonly again: () => void; readonly onClose: () => void }) {
  const t = useT();
  const fleet = useFleet();
  const places = usePlaces();
  const [role, setRole] = useState<FleetRole | null>(row.role);
  const [districts, setDistricts] = useState<ReadonlySet<string>>(new Set(row.districts));
  const bound = role === "viewer" || role === "technician";
  const toggle = (code: string) => {
    const next = new Set(districts);
    if (!next.delete(code)) next.add(code);
    setDistricts(next);
  };
  return (
    <Confirm
      title={row.name}
      verb={t("ui.save")}
      wide
      danger={role === null && row.role !== null}
      onDo={async () => {
        await fleet.ask(`/roles/${encodeURIComponent(row.account)}`, {
          method: "PUT",
          body: { role, districts: bound ? [...districts].sort() : [] },
        });
        again();
        toast(t("people.saved", { name: row.name }));
      }}
      onClose={onClose}
      testid="edit-role"
    >
      <Field label={t("people.role")} hint={t(role === null ? "people.nothing.text" : `people.${role}.text`)}>
        <select
          class="input"
          value={role ?? ""}
          data-first
          onChange={(event) => setRole(ROLES.find((one) => one === event.currentTarget.value) ?? null)}
        >
          <option value="">{t("people.nothing")}</option>
          {ROLES.map((one) => (
            <option key={one} value={one}>
              {t(`role.fleet.${one}`)}
            </option>
          ))}
        </select>
      </Field>
      {bound && (
        <fieldset class="people-districts">
          <legend>{t("people.districts")}</legend>
          <p class="hint">{t(role === "technician" ? "people.districts.technician" : "people.districts.viewer")}</p>
          <div>
            {[...(places?.districts ?? [])]
              .sort((a, b) => shortName(a.name).localeCompare(shortName(b.name), "vi"))
              .map(({ code, name }) => (
                <label key={code}>
                  <input type="checkbox" checked={districts.has(code)} data-code={code} onChange={() => toggle(code)} />
                  {shortName(name)}
                </label>
              ))}
          </div>
        </fieldset>
      )}
    </Confirm>
  );
}
