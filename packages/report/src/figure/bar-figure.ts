import type { Markish } from "@observablehq/plot";
import { type Axis, domainOf, FIGURE_TEXT_STYLE, formatOnAxis, horizontalAxis } from "./axes.ts";
import type { Drawing, Plot } from "./figure.ts";
import { fitText, layOutLegend, legendMarks, textWidth } from "./legend.ts";
import { curveStyle } from "./palette.ts";

/** A bar with an interval of its value if it has one. */
export interface Bar {
  /** Name of its row. */
  readonly row: string;
  /** Index of its series. */
  readonly series: number;
  readonly value: number;
  readonly low?: number;
  readonly high?: number;
}

/** What {@link drawBars} draws. */
export interface BarFigure {
  /** Rows from the top; each is named once. */
  readonly rows: readonly string[];
  /** Names of the bars of a row; one without a name needs no legend. */
  readonly series: readonly string[];
  readonly bars: readonly Bar[];
  /** Of the values. */
  readonly axis: Axis;
  /** Whether rows have one bar each, of any series, and not one of each series. @defaultValue false */
  readonly single?: boolean;
}

const BAR = 13;
const GAP = 9;
const MARGIN = { bottom: 46, top: 10 } as const;
/** Room on the right for the value at the end of the longest bar. */
const VALUE_ROOM = 54;
/** Most of the width that names of rows may take. */
const NAME_SHARE = 0.36;

/** Draws horizontal bars in rows, with their values and intervals; the height follows from the number of rows. */
export function drawBars(figure: BarFigure): Drawing {
  const { rows, series, bars, axis } = figure;
  const lanes = figure.single ? [0] : series.map((_, index) => index);
  const domain = domainOf(
    [0, ...bars.flatMap(({ value, low, high }) => [value, low ?? value, high ?? value])],
    { ...axis, fromZero: true },
  );
  return (plot, width) => {
    const marginLeft = Math.min(Math.max(24, ...rows.map(textWidth)) + 16, width * NAME_SHARE);
    const legend = layOutLegend(series, width - marginLeft - VALUE_ROOM);
    const shown = series.length > 1;
    const marginTop = MARGIN.top + (shown ? legend.height : 0);
    return {
      width,
      height: marginTop + MARGIN.bottom + rows.length * (lanes.length * BAR + GAP),
      marginTop,
      marginRight: VALUE_ROOM,
      marginBottom: MARGIN.bottom,
      marginLeft,
      style: FIGURE_TEXT_STYLE,
      x: { type: axis.scale ?? "linear", domain },
      y: { domain: lanes, axis: null, paddingInner: 0.12, paddingOuter: 0.35 },
      fy: { domain: [...rows], padding: 0 },
      marks: [
        ...horizontalAxis(plot, axis, domain, { count: width < 400 ? 3 : 6, grid: true }),
        plot.axisFy({
          anchor: "left",
          label: null,
          tickSize: 0,
          tickFormat: (name: string) => fitText(name, marginLeft - 12),
          fill: "var(--isthmus-text)",
        }),
        ...barMarks(plot, figure),
        ...(shown
          ? series.flatMap((_, index) => legendMarks(plot, squareStyle(index), legend.items[index]))
          : []),
      ],
    };
  };
}

/** Bars have no symbols: their legend shows squares of their colour. */
const squareStyle = (index: number) => ({ ...curveStyle(index), symbol: "square" as const, filled: true });

function barMarks(plot: Plot, { bars, axis, series, single }: BarFigure): Markish[] {
  const place = { fy: "row", y: (bar: Bar) => (single ? 0 : bar.series) } as const;
  const bounded = bars.filter(({ low, high }) => low !== undefined && high !== undefined);
  return [
    plot.barX(bars, {
      ...place,
      x1: 0,
      x2: "value",
      fill: (bar: Bar) => curveStyle(bar.series).color,
      title: (bar: Bar) =>
        `${[bar.row, series[bar.series]].filter(Boolean).join(", ")}: ${formatOnAxis(axis, bar.value)}`,
    }),
    plot.ruleY(bounded, {
      ...place,
      x1: "low",
      x2: "high",
      stroke: "var(--isthmus-text)",
      strokeWidth: 1.25,
    }),
    plot.ruleX([0], { stroke: "var(--isthmus-muted)" }),
    // Right of everything, where names of rows never are.
    plot.text(bars, {
      ...place,
      x: ({ value, high }: Bar) => Math.max(0, value, high ?? value),
      text: (bar: Bar) => formatOnAxis(axis, bar.value, 3),
      fontSize: 11,
      textAnchor: "start",
      dx: 4,
    }),
  ];
}
