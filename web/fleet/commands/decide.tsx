/** Approve, refuse, cancel: one command, or a whole bulk. */
import { useState } from "preact/hooks";
import type { BulkRow, CommandRow } from "../../shared/fleet-wire";
import { useT } from "../i18n";
import { Confirm, Field, toast, useFleet } from "../ui";
import { actWords } from "./words";

type Deed = "approve" | "refuse" | "cancel";

interface Props {
  readonly command: CommandRow | BulkRow;
  readonly again: () => void;
  readonly small?: boolean;
}

export function Decide({ command, again, small = false }: Props) {
  const t = useT();
  const [asking, setAsking] = useState<Deed | null>(null);
  const many = "many" in command;
  const size = small ? "small" : "";
  if (command.may.length === 0) return null;
  return (
    <div class="decide">
      {command.may.includes("approve") && (
        <button class={`btn primary ${size}`} data-testid="approve" onClick={() => setAsking("approve")}>
          {t("commands.approve")}
        </button>
      )}
      {command.may.includes("refuse") && (
        <button class={`btn ${size}`} data-testid="refuse" onClick={() => setAsking("refuse")}>
          {t("commands.refuse")}
        </button>
      )}
      {command.may.includes("cancel") && (
        <button class={`btn danger ${size}`} data-testid="cancel" onClick={() => setAsking("cancel")}>
          {t(many ? "bulk.cancel" : "commands.cancel")}
        </button>
      )}
      {asking !== null && (
        <Ask
          deed={asking}
          command={command}
          onClose={() => {
            setAsking(null);
            again();
          }}
        />
      )}
    </div>
  );
}

function Ask({ deed, command, onClose }: { readonly deed: Deed; readonly command: CommandRow | BulkRow; readonly onClose: () => void }) {
  const t = useT();
  const fleet = useFleet();
  const [why, setWhy] = useState("");
  const many = "many" in command;
  const act = many ? `${actWords(t, command.do)} · ${t("bulk.of", { n: command.many })}` : actWords(t, command.do);
  const path = `/${many ? "bulks" : "commands"}/${encodeURIComponent(command.id)}/${deed}`;
  const done = { approve: "commands.approved.done", refuse: "commands.refused.done", cancel: many ? "bulk.cancelled" : "commands.cancelled" } as const;
  const titles = { approve: "commands.approve.title", refuse: "commands.refuse.title", cancel: many ? "bulk.cancel" : "commands.cancel" } as const;
  const verbs = { approve: "commands.approve", refuse: "commands.refuse", cancel: many ? "bulk.cancel" : "commands.cancel" } as const;
  return (
    <Confirm
      title={t(titles[deed])}
      verb={t(verbs[deed])}
      danger={deed === "cancel"}
      onDo={async () => {
        await fleet.ask(path, { method: "POST", ...(deed === "approve" ? {} : { body: { why: why.trim() } }) });
        toast(t(done[deed]));
      }}
      onClose={onClose}
      testid="decide"
    >
      <p>
        {deed === "cancel"
          ? many
            ? t("bulk.cancel.text")
            : t("commands.cancel.text", { act })
          : t("commands.approve.text", { by: command.by_name, act, why: command.why })}
      </p>
      {deed === "approve" && <p>{t(`does.${command.do.act}`)}</p>}
      {deed !== "approve" && (
        <Field label={t("commands.why")} optional>
          <input class="input" maxLength={300} value={why} onInput={(event) => setWhy(event.currentTarget.value)} />
        </Field>
      )}
    </Confirm>
  );
}
