/** One command: how far it is, who decided what, what came of it. */
import { useState } from "preact/hooks";
import type { CommandRow, EvidenceRef } from "../../shared/fleet-wire";
import { language } from "../../shared/i18n";
import { told, useT } from "../i18n";
import { Dialog, Facts, Mark, Moment, Problem, Skeleton, useFleet, useLive, useNow, useStore } from "../ui";
import { Decide } from "./decide";
import { Evidence } from "./evidence";
import { actWords, findingName, findingValue, stateWords, TONES } from "./words";

export function Detail({ id, onClose }: { readonly id: string; readonly onClose: () => void }) {
  const t = useT();
  const fleet = useFleet();
  const { value, error, again } = useLive(
    () => fleet.ask<CommandRow>(`/commands/${encodeURIComponent(id)}`),
    [id],
    (changed) => changed.commands.length > 0,
  );
  return (
    <Dialog title={value === undefined ? t("commands.detail") : actWords(t, value.do)} onClose={onClose} class="wide" testid="command">
      {value !== undefined ? <Told command={value} again={again} /> : error !== null ? <Problem error={error} again={again} /> : <Skeleton />}
      <div class="buttons">
        <button class="btn" data-first onClick={onClose}>
          {t("ui.close")}
        </button>
      </div>
    </Dialog>
  );
}

function Told({ command, again }: { readonly command: CommandRow; readonly again: () => void }) {
  const t = useT();
  const of = useStore(language);
  const now = useNow();
  const fleet = useFleet();
  const [shown, setShown] = useState<EvidenceRef | null>(null);
  const { reason, outcome, late } = command;
  const at = (when: number | null) => (when === null ? null : <Moment at={when} />);
  const findings = outcome?.findings ?? [];
  return (
    <div class="command-told">
      <p class="state">
        <Mark tone={TONES[command.state]} size={18}>
          {stateWords(t, command, now)}
        </Mark>
        {reason !== null && <span data-testid="reason">{told(of, reason)}</span>}
      </p>
      {command.do.act === "take-out-of-service" && <blockquote>{command.do.message}</blockquote>}
      {late !== null && (
        <p class="notice warn">
          {t("commands.late")}: {t(late.succeeded ? "commands.late.ok" : "commands.late.bad")}
        </p>
      )}
      {fleet.allows("see-screenshot") && command.evidence !== undefined && command.evidence.length > 0 && (
        <div class="files">
          {command.evidence.map((file) => (
            <button key={file.id} class="btn" data-testid={`look-at-${file.kind}`} onClick={() => setShown(file)}>
              {t(file.kind === "log" ? "commands.evidence.log" : "commands.evidence.screenshot")}
            </button>
          ))}
        </div>
      )}
      <div class="columns">
        <Facts
          items={[
            [
              t("commands.device"),
              <a href={`/fleet/devices/${encodeURIComponent(command.device)}?tab=commands`}>{command.device_name}</a>,
            ],
            [t("commands.asked"), <span>{command.by_name} · <Moment at={command.created_at} /></span>],
            [t("commands.why"), command.why],
            [
              t("commands.approved"),
              command.approved_at === null ? null : (
                <span>
                  {command.approved_by} · <Moment at={command.approved_at} />
                </span>
              ),
            ],
            [t("commands.starts_at"), command.state === "awaiting-approval" ? null : at(command.starts_at)],
            [t("commands.force_at"), at(command.force_at)],
            [t("commands.expires_at"), command.claimed_at === null ? at(command.expires_at) : null],
          ]}
        />
        <Facts
          items={[
            [t("commands.sent_at"), at(command.sent_at)],
            [t("commands.delivered_at"), at(command.delivered_at)],
            [t("commands.claimed_at"), at(command.claimed_at)],
            [t("commands.began_at"), at(command.began_at)],
            [
              t("commands.ended_at"),
              command.ended_at === null ? null : (
                <span>
                  <Moment at={command.ended_at} />
                  {command.ended_by !== "" && ` · ${command.ended_by}`}
                </span>
              ),
            ],
            ...findings.map(({ name, value }) => [findingName(t, name), findingValue(t, of, command.do.act, name, value)] as const),
          ]}
        />
      </div>
      <Decide command={command} again={again} />
      {shown !== null && <Evidence command={command} file={shown} onClose={() => setShown(null)} />}
    </div>
  );
}
