/** One metric over time: its mean as a line, lowest to highest as a band, thresholds dashed; a gap where nothing was heard. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { MetricPoint, Threshold } from "../../shared/fleet-wire";
import { clock, language, ZONE, type Language } from "../../shared/i18n";
import { useT } from "../i18n";
import { theme } from "../theme";
import { useStore } from "../ui";
import { momentWords, shortDay } from "../ui/words";
import { axisWords, valueWords } from "../units";
import type { Metric } from "./facts";
import { limits } from "./limits";

const HEIGHT_PX = 132;
const AXIS_PX = 52;
const FONT = '13px "Be Vietnam Pro", sans-serif';

interface Props {
  readonly metric: Metric;
  readonly points: readonly MetricPoint[];
  readonly from: number; // seconds, UTC
  readonly to: number;
  readonly thresholds: readonly Threshold[];
  /** Charts of one group point at the same moment. */
  readonly group: string;
}

export function Chart({ metric, points, from, to, thresholds, group }: Props) {
  const t = useT();
  const of = useStore(language);
  const dark = useStore(theme);
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const range = useRef({ from, to });
  range.current = { from, to };
  const [at, setAt] = useState<number | null>(null);

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const made = new uPlot(
      options({ element, metric, of, group, thresholds, range: () => range.current, onPoint: setAt }),
      columns(points),
      element,
    );
    plot.current = made;
    const sizes = new ResizeObserver(() => {
      if (element.clientWidth > 0 && element.clientWidth !== made.width) made.setSize({ width: element.clientWidth, height: HEIGHT_PX });
    });
    sizes.observe(element);
    return () => {
      sizes.disconnect();
      plot.current = null;
      made.destroy();
    };
  }, [metric, of, dark, group, JSON.stringify(thresholds)]);

  useEffect(() => plot.current?.setData(columns(points)), [points, from, to]);

  const shown = at === null ? points.findLast(([, , mean]) => mean !== null) : points[at];
  const mean = shown?.[2];
  return (
    <figure class="chart" data-metric={metric} data-points={points.filter(([, , mean]) => mean !== null).length}>
      <figcaption>
        <span>{t(`metric.${metric}`)}</span>
        <strong>{mean == null ? "–" : valueWords(t, of, metric, mean)}</strong>
        <span class="at">{at !== null && shown !== undefined ? momentWords(of, shown[0], to) : ""}</span>
      </figcaption>
      <div ref={box} class="plot" role="img" aria-label={t(`metric.${metric}`)} />
    </figure>
  );
}

function columns(points: readonly MetricPoint[]): uPlot.AlignedData {
  return [
    points.map(([at]) => at),
    points.map(([, , mean]) => mean),
    points.map(([, , , high]) => high),
    points.map(([, low]) => low),
  ];
}

interface Wanted {
  readonly element: HTMLElement;
  readonly metric: Metric;
  readonly of: Language;
  readonly group: string;
  readonly thresholds: readonly Threshold[];
  readonly range: () => { readonly from: number; readonly to: number };
  readonly onPoint: (index: number | null) => void;
}

function options({ element, metric, of, group, thresholds, range, onPoint }: Wanted): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const ink = colour("--ink-2");
  const rule = colour("--rule");
  const axis = { stroke: ink, font: FONT, grid: { stroke: rule, width: 1 }, ticks: { stroke: rule, width: 1, size: 4 } };
  return {
    width: Math.max(element.clientWidth, 120),
    height: HEIGHT_PX,
    tzDate: (s) => uPlot.tzDate(new Date(s * 1000), ZONE),
    padding: [8, 20, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, sync: { key: group }, points: { size: 7 } },
    scales: {
      x: { time: true, range: () => [range().from, range().to] },
      y: { range: (_, least, most) => limits(metric, least, most) },
    },
    axes: [
      { ...axis, space: 64, values: (_, splits) => splits.map((s) => dayOrTime(of, s, range())), size: 28 },
      { ...axis, space: 30, values: (_, splits) => splits.map((value) => axisWords(of, metric, value)), size: AXIS_PX },
    ],
    series: [
      {},
      { stroke: colour("--accent"), width: 1.75, points: { show: false } },
      { stroke: "transparent", points: { show: false } },
      { stroke: "transparent", points: { show: false } },
    ],
    bands: [{ series: [2, 3], fill: `color-mix(in srgb, ${colour("--accent")} 18%, transparent)` }],
    hooks: {
      draw: [(plot) => drawThresholds(plot, thresholds, (status) => colour(`--s-${status}`))],
      setCursor: [(plot) => onPoint(plot.cursor.left == null || plot.cursor.left < 0 ? null : (plot.cursor.idx ?? null))],
    },
  };
}

function dayOrTime(of: Language, at: number, { from, to }: { readonly from: number; readonly to: number }): string {
  const time = clock(at);
  return to - from > 2 * 86_400 || time === "00:00" ? shortDay(of, at, to) : time;
}

function drawThresholds(plot: uPlot, thresholds: readonly Threshold[], colour: (status: string) => string): void {
  const { ctx, bbox } = plot;
  const { min, max } = plot.scales["y"] ?? {};
  ctx.save();
  for (const { enter, status } of thresholds) {
    if (min == null || max == null || enter < min || enter > max) continue;
    const y = Math.round(plot.valToPos(enter, "y", true)) + 0.5;
    ctx.strokeStyle = colour(status);
    ctx.lineWidth = devicePixelRatio * 1.5;
    ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
  }
  ctx.restore();
}
