/** How it went: the strip of states above, and a chart for each thing measured, over an hour, a day, a week or a month. */
import type { HistoryAnswer, SpansAnswer, StatusSpan, Threshold } from "../../shared/fleet-wire";
import { language } from "../../shared/i18n";
import { told, useT } from "../i18n";
import { place, setQuery } from "../router";
import { Problem, Skeleton, useFleet, useLive, useNow, useStore } from "../ui";
import { momentWords } from "../ui/words";
import { Chart } from "./chart";
import type { Metric } from "./facts";

const RANGES = {
  hour: { s: 3_600, again_s: 60 },
  day: { s: 86_400, again_s: 300 },
  week: { s: 7 * 86_400, again_s: 1_800 },
  month: { s: 30 * 86_400, again_s: 3_600 },
} as const;

type Range = keyof typeof RANGES;

/** A device that is here for less than this has next to nothing to show of a day. */
const NEW_S = 6 * 3_600;
const NAMES = Object.keys(RANGES) as readonly Range[];

interface Props {
  readonly id: string;
  readonly enrolled_at: number; // seconds, UTC
  readonly metrics: readonly Metric[];
  readonly thresholds: readonly Threshold[];
}

export function Course({ id, enrolled_at, metrics, thresholds }: Props) {
  const t = useT();
  const now = useNow();
  const range = useStore(place, ({ query }) => NAMES.find((one) => one === query.get("range")) ?? (now - enrolled_at < NEW_S ? "hour" : "day"));
  const { s, again_s } = RANGES[range];
  const tick = Math.floor(now / again_s);
  const to = Math.max(now - (now % 5), tick * again_s);
  const window = { from: to - s, to };
  return (
    <section class="card course" aria-label={t("device.charts")}>
      <header>
        <h2>{t("device.charts")}</h2>
        <div class="ranges" role="group" aria-label={t("device.range")}>
          {NAMES.map((one) => (
            <button
              key={one}
              class="btn small"
              aria-pressed={one === range}
              data-range={one}
              onClick={() => setQuery({ range: one })}
            >
              {t(`device.range.${one}`)}
            </button>
          ))}
        </div>
      </header>
      <Strip id={id} {...window} tick={tick} range={range} />
      {metrics.length === 0 && <p class="aside">{t("device.charts.none")}</p>}
      <div class="charts live">
        {metrics.map((metric) => (
          <History
            key={metric}
            id={id}
            metric={metric}
            range={range}
            tick={tick}
            thresholds={thresholds.filter((one) => one.metric === metric)}
            {...window}
          />
        ))}
      </div>
    </section>
  );
}

interface HistoryProps {
  readonly id: string;
  readonly metric: Metric;
  readonly range: Range;
  readonly tick: number;
  readonly from: number;
  readonly to: number;
  readonly thresholds: readonly Threshold[];
}

function History({ id, metric, range, tick, from, to, thresholds }: HistoryProps) {
  const fleet = useFleet();
  const path = `/devices/${encodeURIComponent(id)}/history?metric=${metric}&from=${Math.floor(from)}&to=${Math.ceil(to)}`;
  const { value, error, again } = useLive(() => fleet.ask<HistoryAnswer>(path), [id, metric, range], () => false, tick);
  if (value === undefined) return error === null ? <Skeleton rows={3} /> : <Problem error={error} again={again} />;
  return <Chart metric={metric} points={value.points} from={from} to={to} thresholds={thresholds} group={`device-${id}`} />;
}

interface StripProps {
  readonly id: string;
  readonly from: number;
  readonly to: number;
  readonly tick: number;
  readonly range: Range;
}

/** The worse, the taller: it reads in greyscale too. */
const HEIGHT: Readonly<Record<StatusSpan["status"], number>> = {
  "offline": 20,
  "faulty": 20,
  "degraded": 13,
  "out-of-service": 9,
  "quarantined": 9,
  "new": 4,
  "closed": 4,
  "ok": 6,
};

function Strip({ id, from, to, tick, range }: StripProps) {
  const t = useT();
  const of = useStore(language);
  const fleet = useFleet();
  const path = `/devices/${encodeURIComponent(id)}/spans?days=${Math.max(1, Math.ceil((to - from) / 86_400))}`;
  const { value } = useLive(() => fleet.ask<SpansAnswer>(path), [id, range], () => false, tick);
  const at = (s: number) => (Math.max(0, Math.min(1, (s - from) / (to - from))) * 1000).toFixed(2);
  return (
    <svg class="strip live" viewBox="0 0 1000 20" preserveAspectRatio="none" role="img" aria-label={t("device.strip")} data-testid="strip">
      {value?.spans.map(({ status, since, until, reason }) => {
        const x = Number(at(since));
        const width = Number(at(until ?? to)) - x;
        if (width <= 0) return null;
        const words = [
          t(`status.${status}`),
          `${momentWords(of, since, to)} – ${until === null ? "…" : momentWords(of, until, to)}`,
          ...(reason === null ? [] : [told(of, reason)]),
        ];
        return (
          <rect key={since} class={`s-${status}`} x={x} width={width} y={20 - HEIGHT[status]} height={HEIGHT[status]}>
            <title>{words.join("\n")}</title>
          </rect>
        );
      })}
    </svg>
  );
}
