/** Commands below each other, the newest first, page after page; one opens in a dialogue. */
import { useState } from "preact/hooks";
import type { CommandRow, CommandsAnswer } from "../../shared/fleet-wire";
import { language } from "../../shared/i18n";
import { told, useT } from "../i18n";
import { Empty, Mark, Moment, Problem, Skeleton, Tag, useFleet, useLive, useNow, useStore } from "../ui";
import { momentWords } from "../ui/words";
import { Decide } from "./decide";
import { Detail } from "./detail";
import { actWords, findingName, findingValue, isOpen, isPlanned, stateWords, TONES } from "./words";

const PAGE = 50;

interface Props {
  /** Below `/api/fleet`: `/commands?state=open`. */
  readonly path: string;
  readonly none: string;
  /** A device whose changes matter; without: all. */
  readonly device?: string;
  readonly testid?: string;
}

export function CommandList({ path, none, device, testid }: Props) {
  const t = useT();
  const fleet = useFleet();
  const [pages, setPages] = useState(1);
  const [open, setOpen] = useState<string | null>(null);
  const { value, error, again } = useLive(
    () => load((path) => fleet.ask<CommandsAnswer>(path), path, pages),
    [path, pages],
    ({ commands }) => (device === undefined ? commands.length > 0 : commands.includes(device)),
  );
  if (value === undefined) return error === null ? <Skeleton rows={4} /> : <Problem error={error} again={again} />;
  if (value.rows.length === 0) return <Empty title={none} />;
  return (
    <div class="commands-list">
      <table data-testid={testid}>
        <thead>
          <tr>
            <th class="state">{t("commands.col.state")}</th>
            <th>{t("commands.col.act")}</th>
            {device === undefined && <th>{t("commands.col.device")}</th>}
            <th>{t("commands.col.by")}</th>
            <th>{t("commands.col.result")}</th>
            <th aria-label={t("ui.more")} />
          </tr>
        </thead>
        <tbody>
          {value.rows.map((row) => (
            <Row key={row.id} row={row} withDevice={device === undefined} again={again} onOpen={() => setOpen(row.id)} />
          ))}
        </tbody>
      </table>
      {value.more && (
        <button class="btn small" onClick={() => setPages(pages + 1)}>
          {t("commands.more")}
        </button>
      )}
      {open !== null && <Detail id={open} onClose={() => setOpen(null)} />}
    </div>
  );
}

interface RowProps {
  readonly row: CommandRow;
  readonly withDevice: boolean;
  readonly again: () => void;
  readonly onOpen: () => void;
}

function Row({ row, withDevice, again, onOpen }: RowProps) {
  const t = useT();
  const of = useStore(language);
  const now = useNow();
  return (
    <tr data-command={row.id} data-state={row.state}>
      <td class="state">
        <Mark tone={TONES[row.state]}>{stateWords(t, row, now)}</Mark>
      </td>
      <td>
        <button class="as-link" data-testid="open-command" onClick={onOpen}>
          {actWords(t, row.do)}
        </button>
        <span class="second">{row.why}</span>
      </td>
      {withDevice && (
        <td>
          <a href={`/fleet/devices/${encodeURIComponent(row.device)}?tab=commands`}>{row.device_name}</a>
        </td>
      )}
      <td>
        {row.by_name}
        <span class="second">
          <Moment at={row.created_at} />
        </span>
      </td>
      <td class="result">{isOpen(row.state) ? <Waiting row={row} /> : <Result row={row} of={of} />}</td>
      <td class="deeds">
        <Decide command={row} again={again} small />
      </td>
    </tr>
  );
}

/** What it waits for. */
function Waiting({ row }: { readonly row: CommandRow }) {
  const t = useT();
  const of = useStore(language);
  const now = useNow();
  const planned = isPlanned(row, now);
  return (
    <>
      {planned
        ? t("commands.starts", { time: momentWords(of, row.starts_at, now) })
        : row.state === "delivered" && row.waits_for_session && t("commands.waits")}
      {row.claimed_at === null && <span class="second">{t("commands.expires", { time: momentWords(of, row.expires_at, now) })}</span>}
    </>
  );
}

function Result({ row, of }: { readonly row: CommandRow; readonly of: "vi" | "en" }) {
  const t = useT();
  const findings = (row.outcome?.findings ?? []).filter(({ name }) => !name.endsWith("_px")).slice(0, 3);
  return (
    <>
      {row.reason !== null && told(of, row.reason)}
      {row.reason === null && findings.length > 0 && (
        <span class="findings">
          {findings.map(({ name, value }) => (
            <span key={name}>
              {findingName(t, name)}: <strong>{findingValue(t, of, row.do.act, name, value)}</strong>
            </span>
          ))}
        </span>
      )}
      {row.late !== null && (
        <Tag tone="warn">
          {t("commands.late")}: {t(row.late.succeeded ? "commands.late.ok" : "commands.late.bad")}
        </Tag>
      )}
      <span class="second">
        <Moment at={row.ended_at} />
      </span>
    </>
  );
}

async function load(
  ask: (path: string) => Promise<CommandsAnswer>,
  path: string,
  pages: number,
): Promise<{ readonly rows: readonly CommandRow[]; readonly more: boolean }> {
  const rows: CommandRow[] = [];
  let before: string | null = null;
  for (let page = 0; page < pages; page += 1) {
    const after: string = before === null ? "" : `&before=${encodeURIComponent(before)}`;
    const answer: CommandsAnswer = await ask(`${path}${path.includes("?") ? "&" : "?"}limit=${PAGE}${after}`);
    rows.push(...answer.commands);
    before = answer.before;
    if (before === null) break;
  }
  return { rows, more: before !== null };
}
