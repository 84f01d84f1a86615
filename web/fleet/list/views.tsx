/** Filters kept under a name: each person has their own. */
import { useState } from "preact/hooks";
import type { View, ViewsAnswer } from "../../shared/fleet-wire";
import { useT } from "../i18n";
import { go } from "../router";
import { Confirm, Field, Menu, toast, useFleet, useLive } from "../ui";

const NAME_CHARS = 60;

/** `query`: the filter as it is now. */
export function SavedViews({ query }: { readonly query: string }) {
  const t = useT();
  const fleet = useFleet();
  const { value, again } = useLive(() => fleet.ask<ViewsAnswer>("/views"), []);
  const [naming, setNaming] = useState(false);
  const [name, setName] = useState("");
  const views = value?.views ?? [];
  const current = views.find((view) => view.query === query);

  const remove = (view: View) => {
    fleet.ask(`/views/${encodeURIComponent(view.id)}`, { method: "DELETE" }).then(
      () => {
        again();
        toast(t("list.view.removed", { name: view.name }), {
          undo: () => void fleet.ask("/views", { method: "POST", body: { name: view.name, query: view.query } }).then(again, again),
        });
      },
      () => toast(t("refused.internal"), { bad: true }),
    );
  };
  return (
    <>
      <Menu
        label={current === undefined ? t("list.views") : t("list.view.is", { name: current.name })}
        testid="views"
        items={[
          ...views.map((view) => ({
            id: view.id,
            label: view.name,
            act: () => go(view.query === "" ? "/fleet" : `/fleet?${view.query}`),
          })),
          ...(current === undefined
            ? [{ id: "save", label: t("list.view.save"), act: () => setNaming(true), disabled: query === "" }]
            : [{ id: "remove", label: t("list.view.remove"), act: () => remove(current), danger: true }]),
        ]}
      />
      {naming && (
        <Confirm
          title={t("list.view.save")}
          verb={t("ui.save")}
          disabled={name.trim() === ""}
          onDo={async () => {
            await fleet.ask("/views", { method: "POST", body: { name: name.trim(), query } });
            again();
            toast(t("ui.saved"));
          }}
          onClose={() => {
            setNaming(false);
            setName("");
          }}
        >
          <Field label={t("list.view.name")}>
            <input
              class="input"
              value={name}
              maxLength={NAME_CHARS}
              required
              data-first
              data-testid="view-name"
              onInput={(event) => setName(event.currentTarget.value)}
            />
          </Field>
        </Confirm>
      )}
    </>
  );
}
