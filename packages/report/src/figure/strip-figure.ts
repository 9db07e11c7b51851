import type { Markish } from "@observablehq/plot";
import { type Axis, domainOf, FIGURE_TEXT_STYLE, formatOnAxis, horizontalAxis } from "./axes.ts";
import type { Drawing, Plot } from "./figure.ts";
import { curveStyle } from "./palette.ts";

/** Values of one sort, with their mean. */
export interface Strip {
  readonly label: string;
  /** At least one. */
  readonly values: readonly { readonly name: string; readonly value: number }[];
  readonly mean: number;
}

/** What {@link drawStrips} draws. */
export interface StripFigure {
  readonly strips: readonly Strip[];
  readonly axis: Axis;
}

const ROW = 84;
const MARGIN = { right: 24, bottom: 46, left: 20, top: 12 } as const;

interface Dot {
  readonly strip: string;
  readonly style: number;
  readonly name: string;
  readonly value: number;
}

/** Draws each value as a dot, strip under strip, with the mean of each. */
export function drawStrips({ strips, axis }: StripFigure): Drawing {
  const dots = strips.flatMap(({ label, values }, style) =>
    values.map((dot) => ({ ...dot, style, strip: label })),
  );
  const domain = domainOf(
    dots.map(({ value }) => value),
    { ...axis, fromZero: true },
  );
  return (plot, width) => ({
    width,
    height: MARGIN.top + MARGIN.bottom + strips.length * ROW,
    marginTop: MARGIN.top,
    marginRight: MARGIN.right,
    marginBottom: MARGIN.bottom,
    marginLeft: MARGIN.left,
    style: FIGURE_TEXT_STYLE,
    x: { domain },
    fy: { domain: strips.map(({ label }) => label), padding: 0, axis: null },
    marks: [
      ...horizontalAxis(plot, axis, domain, { count: width < 400 ? 4 : 6, grid: true }),
      ...dotMarks(plot, dots, axis),
      ...meanMarks(plot, strips, axis),
    ],
  });
}

function dotMarks(plot: Plot, dots: readonly Dot[], axis: Axis): Markish[] {
  return [
    plot.dot(
      dots,
      plot.dodgeY("bottom", {
        fy: "strip",
        x: "value",
        r: dots.length > 60 ? 2.5 : 3.5,
        padding: 0.5,
        fill: (dot: Dot) => curveStyle(dot.style).color,
        fillOpacity: 0.75,
        title: (dot: Dot) => `${dot.name}: ${formatOnAxis(axis, dot.value)}`,
      }),
    ),
  ];
}

function meanMarks(plot: Plot, strips: readonly Strip[], axis: Axis): Markish[] {
  const place = { fy: "label", x: "mean" } as const;
  return [
    plot.ruleX(strips, { ...place, stroke: "var(--isthmus-text)", strokeWidth: 2 }),
    plot.text(strips, {
      fy: "label",
      frameAnchor: "top-left",
      dx: 2,
      dy: 8,
      text: ({ label, mean, values }: Strip) =>
        `${label}: mean ${formatOnAxis(axis, Number(mean.toPrecision(3)))} of ${values.length}`,
      fontWeight: 600,
      fill: "var(--isthmus-text)",
      stroke: "var(--isthmus-background)",
      strokeWidth: 4,
    }),
  ];
}
