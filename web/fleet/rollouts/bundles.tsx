/** Bundles: what there is, whether it is signed, and taking one in with its progress. */
import { useState } from "preact/hooks";
import { language, number } from "../../shared/i18n";
import type { BundleKind, BundleRow, BundlesAnswer } from "../../shared/fleet-wire";
import { Refused } from "../../shared/problem";
import { useT } from "../i18n";
import { Confirm, Empty, Field, Mark, Menu, Moment, Panel, Problem, Select, Skeleton, Table, toast, useFleet, useStore, type Asked, type Column } from "../ui";
import { dayWord, kindWord, sizeWord } from "./words";

const KINDS: readonly BundleKind[] = ["content", "configuration", "software"];

interface Props {
  readonly bundles: Asked<BundlesAnswer>;
  readonly onPlan: (bundle: string) => void;
}

export function Bundles({ bundles, onPlan }: Props) {
  const t = useT();
  const fleet = useFleet();
  const of = useStore(language);
  const [removing, setRemoving] = useState<BundleRow | null>(null);
  if (bundles.value === undefined) {
    return bundles.error === null ? <Skeleton /> : <Problem error={bundles.error} again={bundles.again} />;
  }
  const { bundles: rows, roles } = bundles.value;
  const columns: readonly Column<BundleRow>[] = [
    {
      id: "version",
      head: t("rollouts.bundles.version"),
      width: "minmax(150px, 3fr)",
      cell: (row) => (
        <span class="two">
          <strong>{row.version}</strong>
          <span class="aside" title={row.note}>
            {[row.note, fitFor(row)].filter((part) => part !== "").join(" · ") || t("rollouts.bundles.for.any")}
          </span>
        </span>
      ),
    },
    { id: "kind", head: t("rollouts.bundles.kind"), width: "110px", cell: (row) => kindWord(t, row.kind) },
    {
      id: "signed",
      head: t("rollouts.keys"),
      width: "110px",
      cell: (row) => (
        <span title={row.signed ? row.sha256 : t("rollouts.bundles.unsigned.text")}>
          <Mark tone={row.signed ? "ok" : "warn"}>{t(row.signed ? "rollouts.bundles.signed" : "rollouts.bundles.unsigned")}</Mark>
        </span>
      ),
    },
    { id: "size", head: t("rollouts.bundles.size"), width: "90px", numeric: true, cell: (row) => sizeWord(row.length_bytes) },
    {
      id: "installed",
      head: t("rollouts.bundles.installed"),
      width: "120px",
      cell: (row) => t("rollouts.ring.devices", { n: number(row.installed) }),
    },
    {
      id: "added",
      head: t("rollouts.bundles.added"),
      width: "110px",
      cell: (row) => (
        <span class="two">
          <Moment at={row.added_at} />
          <span class="aside">{row.added_by}</span>
        </span>
      ),
    },
    {
      id: "do",
      head: "",
      width: "200px",
      cell: (row) => (
        <span class="does">
          {row.may.includes("plan") && (
            <button class="btn small" onClick={() => onPlan(row.id)}>
              {t("rollouts.bundles.plan")}
            </button>
          )}
          {row.may.includes("remove") && (
            <Menu label={t("ui.more")} items={[{ id: "remove", label: t("rollouts.bundles.remove"), act: () => setRemoving(row), danger: true }]} />
          )}
        </span>
      ),
    },
  ];
  const root = roles.find((role) => role.name === "root");
  return (
    <>
      <div class="box">
        <Table
          label={t("rollouts.tab.bundles")}
          rows={rows}
          columns={columns}
          keyOf={(row) => row.id}
          rowPx={52}
          testid="bundles"
          empty={
            <Empty title={t("rollouts.bundles.none")}>
              <p>{t("rollouts.bundles.none.text")}</p>
            </Empty>
          }
        />
      </div>
      <Panel title={t("rollouts.keys")} class="keys">
        <ul>
          {roles.map((role) => (
            <li key={role.name}>
              <strong>{t(`rollouts.keys.${role.name as "root" | "targets" | "snapshot" | "timestamp"}`)}</strong>
              <span class="aside">
                {t("rollouts.keys.until", { day: dayWord(role.expires_at, of) })} · {t(role.key_here ? "rollouts.keys.here" : "rollouts.keys.away")}
              </span>
            </li>
          ))}
        </ul>
        {root?.key_here === true && <p class="notice">{t("rollouts.keys.advice")}</p>}
      </Panel>
      {removing !== null && (
        <Confirm
          title={`${t("rollouts.bundles.remove")}: ${removing.version}`}
          verb={t("rollouts.bundles.remove")}
          danger
          onDo={async () => {
            await fleet.ask(`/bundles/${encodeURIComponent(removing.id)}`, { method: "DELETE" });
            toast(t("rollouts.bundles.removed"));
            bundles.again();
          }}
          onClose={() => setRemoving(null)}
        >
          <p>{t("rollouts.bundles.remove.text")}</p>
        </Confirm>
      )}
    </>
  );
}

function fitFor({ needs }: BundleRow): string {
  const { agent_from = "", agent_below = "", hardware = [] } = needs;
  return [...hardware, agent_from === "" ? "" : `≥ ${agent_from}`, agent_below === "" ? "" : `< ${agent_below}`].filter((part) => part !== "").join(", ");
}

interface UploadProps {
  readonly most_bytes: number;
  readonly onDone: (bundle: BundleRow) => void;
  readonly onClose: () => void;
}

/** A file goes up with its progress; what is refused leaves nothing behind. */
export function Upload({ most_bytes, onDone, onClose }: UploadProps) {
  const t = useT();
  const fleet = useFleet();
  const [kind, setKind] = useState<BundleKind>("content");
  const [version, setVersion] = useState("");
  const [note, setNote] = useState("");
  const [hardware, setHardware] = useState("");
  const [file, setFile] = useState<File | null>(null);
  const [sent, setSent] = useState<number | null>(null);

  const send = async () => {
    if (file === null) return;
    const query = new URLSearchParams({ note, hardware });
    const path = `/api/fleet/bundles/${kind}/${encodeURIComponent(version.trim())}?${query}`;
    try {
      const bundle = await put(path, file, fleet.staff.csrf, setSent);
      toast(t("rollouts.bundles.sent"));
      onDone(bundle);
    } finally {
      setSent(null);
    }
  };
  const too_big = file !== null && file.size > most_bytes;
  return (
    <Confirm
      title={t("rollouts.bundles.add")}
      verb={t("rollouts.bundles.add")}
      disabled={file === null || version.trim() === "" || too_big}
      onDo={send}
      onClose={onClose}
      testid="upload"
    >
      <Field
        label={t("rollouts.bundles.file")}
        hint={t("rollouts.bundles.most", { size: sizeWord(most_bytes) })}
        error={too_big ? t("refused.too-big") : null}
      >
        <span class="input file">
          <input
            type="file"
            accept=".zip,application/zip"
            data-first
            data-testid="upload-file"
            onChange={(event) => setFile(event.currentTarget.files?.[0] ?? null)}
          />
          <span class="btn small" aria-hidden="true">
            {t("rollouts.bundles.choose")}
          </span>
          <span class="name">{file === null ? t("rollouts.bundles.nofile") : `${file.name} · ${sizeWord(file.size)}`}</span>
        </span>
      </Field>
      <div class="columns">
        <Field label={t("rollouts.bundles.kind")}>
          <Select
            label={t("rollouts.bundles.kind")}
            value={kind}
            options={KINDS.map((one) => ({ value: one, label: kindWord(t, one) }))}
            onChange={(value) => setKind(value as BundleKind)}
            testid="upload-kind"
          />
        </Field>
        <Field label={t("rollouts.bundles.version")}>
          <input
            class="input"
            value={version}
            maxLength={64}
            pattern="[0-9A-Za-z][0-9A-Za-z.+_\-]*"
            placeholder="2026.11"
            data-testid="upload-version"
            onInput={(event) => setVersion(event.currentTarget.value)}
          />
        </Field>
      </div>
      <Field label={t("rollouts.bundles.note")} optional>
        <input class="input" value={note} maxLength={200} onInput={(event) => setNote(event.currentTarget.value)} />
      </Field>
      <Field label={t("rollouts.bundles.hardware")} optional hint={t("rollouts.bundles.hardware.hint")}>
        <input class="input" value={hardware} maxLength={200} onInput={(event) => setHardware(event.currentTarget.value)} />
      </Field>
      {sent !== null && file !== null && (
        <p class="sending" role="status">
          <progress max={file.size} value={sent} />
          {sent < file.size
            ? t("rollouts.bundles.sending", { done: sizeWord(sent), all: sizeWord(file.size) })
            : t("rollouts.bundles.looking")}
        </p>
      )}
    </Confirm>
  );
}

/** `fetch` tells nothing of what it has sent, so this one is of the older kind. */
function put(path: string, file: File, csrf: string, onSent: (bytes: number) => void): Promise<BundleRow> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", path);
    request.setRequestHeader("Content-Type", "application/zip");
    request.setRequestHeader("X-CSRF-Token", csrf);
    request.responseType = "json";
    request.upload.onprogress = ({ loaded }) => onSent(loaded);
    request.onload = () => {
      if (request.status === 201) resolve(request.response as BundleRow);
      else reject(new Refused((request.response as { code?: string } | null)?.code ?? "internal", `HTTP ${request.status}`));
    };
    request.onerror = () => reject(new Refused("offline", "the server cannot be reached"));
    onSent(0);
    request.send(file);
  });
}
