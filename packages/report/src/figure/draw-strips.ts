import { type Axis, formatCounted, type Strip, type StripPlot } from "@isthmus/findings";
import type { Markish } from "@observablehq/plot";
import { domainOf, formatBesideMark, frameOf, horizontalAxis } from "./axes.ts";
import type { Drawing, PlotLibrary } from "./drawing.ts";
import { curveColor } from "./palette.ts";

const MARGIN = { right: 24, bottom: 46, left: 20, top: 12 } as const;
/** Height of the words over the dots of a strip, and minimum height of the dots, in pixels. */
const ROOM = { words: 26, dots: 36 } as const;
/**
 * Height of a pile relative to the diameters of the dots in its bin: dots of neighbouring bins push the pile
 * higher.
 */
const LEAN = 1.7;

interface Dot {
  readonly name: string;
  readonly value: number;
  readonly strip: string;
}

/** Draws each value as a dot, in one strip under the other, with the mean of each strip. */
export function drawStrips({ strips, axis }: StripPlot): Drawing {
  const values = strips.flatMap((strip) => strip.values.map(({ value }) => value));
  const domain = domainOf(values, { ...axis, fromZero: true });
  const radius = values.length > 60 ? 2.5 : 3.5;
  return (plot, width) => {
    const inner = width - MARGIN.left - MARGIN.right;
    const pile = Math.max(...strips.map((strip) => highestPile(strip, domain, inner / (2 * radius))));
    const row = ROOM.words + Math.max(ROOM.dots, LEAN * 2 * radius * pile);
    return {
      ...frameOf(width, Math.round(MARGIN.top + MARGIN.bottom + strips.length * row), MARGIN),
      x: { domain },
      fy: { domain: strips.map(({ label }) => label), padding: 0, axis: null },
      marks: [
        ...horizontalAxis(plot, axis, domain, { count: width < 400 ? 4 : 6, grid: true }),
        ...strips.map((strip, index) => dotMark(plot, strip, { color: curveColor(index), radius, axis })),
        ...meanMarks(plot, strips, axis),
      ],
    };
  };
}

/** Counts the values of a strip in each bin of the axis, and returns the largest count. */
function highestPile({ values }: Strip, [low, high]: readonly [number, number], bins: number): number {
  const counts = new Map<number, number>();
  for (const { value } of values.filter(({ value }) => Number.isFinite(value))) {
    const bin = Math.floor(((value - low) / (high - low)) * bins);
    counts.set(bin, (counts.get(bin) ?? 0) + 1);
  }
  return Math.max(0, ...counts.values());
}

function dotMark(
  plot: PlotLibrary,
  { label, values }: Strip,
  { color, radius, axis }: { readonly color: string; readonly radius: number; readonly axis: Axis },
): Markish {
  return plot.dot(
    values.map((dot) => ({ ...dot, strip: label })),
    plot.dodgeY("bottom", {
      fy: "strip",
      x: "value",
      r: radius,
      padding: 0.5,
      fill: color,
      fillOpacity: 0.75,
      title: (dot: Dot) => `${dot.name}: ${formatBesideMark(axis, dot.value)}`,
    }),
  );
}

function meanMarks(plot: PlotLibrary, strips: readonly Strip[], axis: Axis): Markish[] {
  return [
    // A single value is its own mean.
    plot.ruleX(
      strips.filter(({ values }) => values.length > 1),
      { fy: "label", x: "mean", stroke: "var(--isthmus-text)", strokeWidth: 2, insetTop: ROOM.words },
    ),
    plot.text(strips, {
      fy: "label",
      frameAnchor: "top-left",
      dx: 2,
      dy: 8,
      text: ({ label, mean, values }: Strip) =>
        values.length === 1
          ? `${label}: ${formatBesideMark(axis, mean)}, 1 pair`
          : `${label}: mean ${formatBesideMark(axis, mean)} of ${formatCounted(values.length, "pair")}`,
      fontWeight: 600,
      fill: "var(--isthmus-text)",
      stroke: "var(--isthmus-background)",
      strokeWidth: 6,
    }),
  ];
}
