/** A screenshot, big; a log, as text. That it was looked at is in the audit before it is here. */
import { useEffect, useState } from "preact/hooks";
import type { CommandRow, EvidenceRef } from "../../shared/fleet-wire";
import { Refused } from "../../shared/problem";
import { useT } from "../i18n";
import { Dialog, Problem, Skeleton, Tag } from "../ui";

interface Props {
  readonly command: CommandRow;
  readonly file: EvidenceRef;
  readonly onClose: () => void;
}

interface Shown {
  readonly url: string;
  readonly text: string | null;
}

export function Evidence({ command, file, onClose }: Props) {
  const t = useT();
  const [shown, setShown] = useState<Shown | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    let url = "";
    let over = false;
    load(file).then(
      async (blob) => {
        const text = file.kind === "log" ? await blob.text() : null;
        if (over) return;
        url = URL.createObjectURL(blob);
        setShown({ url, text });
      },
      (problem: unknown) => !over && setError(problem),
    );
    return () => {
      over = true;
      if (url !== "") URL.revokeObjectURL(url);
    };
  }, [file.id]);
  const name = command.device_name;
  const title = file.kind === "log" ? t("commands.log", { name }) : t("commands.screenshot", { name });
  return (
    <Dialog title={title} onClose={onClose} class="evidence" testid="evidence">
      <p class="marks">
        {file.kind === "screenshot" && <Tag tone="info">{covered(t, command)}</Tag>}
        <span class="aside">{t("commands.evidence.note")}</span>
      </p>
      {error !== null ? (
        <Problem error={error} />
      ) : shown === null ? (
        <Skeleton />
      ) : shown.text !== null ? (
        <pre data-testid="log-text">{shown.text}</pre>
      ) : (
        <img src={shown.url} alt={title} data-testid="screenshot" />
      )}
      <div class="buttons">
        {shown !== null && (
          <a class="btn" href={shown.url} download={`${file.kind}-${command.device}`}>
            {t("commands.download")}
          </a>
        )}
        <button class="btn primary" data-first onClick={onClose}>
          {t("ui.close")}
        </button>
      </div>
    </Dialog>
  );
}

function covered(t: ReturnType<typeof useT>, command: CommandRow): string {
  const found = command.outcome?.findings?.find(({ name }) => name === "covered")?.value;
  return typeof found === "number" && found > 0 ? t("commands.covered", { n: found }) : t("commands.covered.none");
}

async function load(file: EvidenceRef): Promise<Blob> {
  let response: Response;
  try {
    response = await fetch(`/api/fleet/evidence/${encodeURIComponent(file.id)}`, { credentials: "same-origin", cache: "no-store" });
  } catch {
    throw new Refused("offline", "the server cannot be reached");
  }
  if (response.ok) return response.blob();
  const told = (await response.json().catch(() => ({}))) as { readonly code?: string };
  throw new Refused(told.code ?? "internal", "");
}
