import { at } from "@isthmus/core";
import { type Axis, formatMeasure, formatNumber, formatShort, logarithmicLevels } from "@isthmus/findings";
import type { ChannelValue, Markish, PlotOptions } from "@observablehq/plot";
import type { PlotLibrary } from "./drawing.ts";

const MUTED = "var(--isthmus-muted)";
/** Maximum number of ticks on a logarithmic axis. */
const MOST_LOG_TICKS = 7;
/** Padding between an extreme value and the end of its axis, relative to the range. */
const PADDING = 0.06;

/** Style of the text of all figures. */
export const FIGURE_TEXT_STYLE = {
  color: "var(--isthmus-text)",
  fontSize: "12px",
  overflow: "visible",
} as const;

/** Space around the frame of a figure, in pixels. */
interface Margin {
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly left: number;
}

/** Returns the size of a figure, the space around its frame, and the style of its texts. */
export function frameOf(width: number, height: number, { top, right, bottom, left }: Margin): FigureFrame {
  return {
    width,
    height,
    marginTop: top,
    marginRight: right,
    marginBottom: bottom,
    marginLeft: left,
    style: FIGURE_TEXT_STYLE,
  };
}

type FigureFrame = Pick<
  PlotOptions,
  "width" | "height" | "marginTop" | "marginRight" | "marginBottom" | "marginLeft" | "style"
>;

/** Formats a value as on its axis: in percent, as a name, or as a number. */
export function formatOnAxis({ percent, names }: Axis, value: number, digits = 4): string {
  if (names) return at(names, value, "name of a place");
  return formatShort(percent ? 100 * value : value, digits);
}

/** Formats a value that is shown beside a mark, as tables do: in percent if the axis is in percent. */
export function formatBesideMark(axis: Axis, value: number): string {
  return axis.percent ? formatMeasure(value, "error") : formatNumber(value);
}

/**
 * Finds the ends of an axis around its finite values; zero is included unless the values stay far above it.
 */
export function domainOf(values: readonly number[], axis: Axis): [number, number] {
  if (axis.domain) return [...axis.domain];
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return [0, 1];
  const low = Math.min(...finite);
  const high = Math.max(...finite);
  if (axis.names) return [-0.5, axis.names.length - 0.5];
  if (axis.scale === "log") {
    const factor = (high / low) ** PADDING;
    return low === high ? [low / 2, 2 * high] : [low / factor, high * factor];
  }
  const pad = (high - low) * PADDING || Math.max(Math.abs(high) * 0.1, 1e-6);
  const zero = low >= 0 && (axis.fromZero || low < 2 * (high - low));
  const bottom = low < 0 && axis.fromZero ? Math.max(1.15 * low, low - pad) : low - pad;
  return [zero ? 0 : bottom, high <= 0 && axis.fromZero ? 0 : topOf(high, pad, axis)];
}

/** Computes the upper end of an axis: above its data, but at most 100 % for percentages. */
function topOf(high: number, pad: number, { percent }: Axis): number {
  return percent && high <= 1 ? Math.min(1, high + pad) : high + pad;
}

/** Returns the positions of ticks, or their approximate number if the library may choose the positions. */
function ticksOf(
  axis: Axis,
  [low, high]: readonly [number, number],
  count: number,
): readonly number[] | number {
  if (axis.ticks) return axis.ticks;
  if (axis.names) return axis.names.map((_, index) => index);
  if (axis.whole) return wholeTicks(low, high, count);
  return axis.scale === "log" ? logarithmicLevels(low, high, MOST_LOG_TICKS) : count;
}

/**
 * Returns multiples of 1, 2, 5, 10, ... in a range: the smallest step that gives at most `most` intervals.
 */
function wholeTicks(low: number, high: number, most: number): readonly number[] {
  let step = 1;
  for (let i = 0; (high - low) / step > most; i++) step *= at([2, 2.5, 2], i % 3);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, index) => step * (first + index));
}

/** Copies ticks, as the library requires mutable arrays. */
const copyTicks = (ticks: readonly number[] | number): number[] | number =>
  typeof ticks === "number" ? ticks : [...ticks];

/**
 * Returns the options that name the ticks. By itself the library would leave out some labels of logarithmic
 * axes, although our ticks are few enough.
 */
function labelsOf(axis: Axis): { text: ChannelValue } | { tickFormat: (value: number) => string } {
  const format = (value: number) => formatOnAxis(axis, value);
  return axis.scale === "log" ? { text: format } : { tickFormat: format };
}

/** Returns the label of an axis, which names the scale unless it is linear. */
function axisWords({ label, scale }: Axis): string {
  return scale === "log" ? `${label}, log scale` : label;
}

/** Makes horizontal grid lines with values on the left. */
export function verticalAxis(plot: PlotLibrary, axis: Axis, domain: readonly [number, number]): Markish[] {
  const ticks = copyTicks(ticksOf(axis, domain, 5));
  return [
    plot.gridY({ ticks, stroke: "var(--isthmus-grid)", strokeOpacity: 1 }),
    plot.axisY({
      ticks,
      tickSize: 0,
      tickPadding: 8,
      ...labelsOf(axis),
      // Rotated labels run upwards, so that the arrow points along them.
      label: axis.beside && !axis.names && axis.label !== "" ? `${axisWords(axis)} →` : axisWords(axis),
      labelArrow: axis.names || axis.beside ? "none" : "up",
      labelAnchor: axis.beside ? "center" : "top",
      fill: MUTED,
    }),
  ];
}

/** Makes the values below the frame, and on request vertical grid lines. */
export function horizontalAxis(
  plot: PlotLibrary,
  axis: Axis,
  domain: readonly [number, number],
  { count = 6, grid = false }: { readonly count?: number; readonly grid?: boolean } = {},
): Markish[] {
  const ticks = copyTicks(ticksOf(axis, domain, count));
  return [
    ...(grid ? [plot.gridX({ ticks, stroke: "var(--isthmus-grid)", strokeOpacity: 1 })] : []),
    plot.axisX({
      ticks,
      tickSize: 4,
      ...labelsOf(axis),
      label: axisWords(axis),
      labelArrow: axis.names ? "none" : "right",
      labelOffset: 40,
      fill: MUTED,
      stroke: MUTED,
    }),
  ];
}
