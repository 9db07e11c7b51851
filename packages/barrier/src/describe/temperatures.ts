import { type Figure, formatCounted, formatShort, type PageFact } from "@isthmus/findings";
import type { BarrierCurve, ShownCurve } from "./barrier-curve.ts";

/** States the range of temperatures in a few words. */
export function temperatureWords(temperatures: readonly number[]): string {
  const [low, high] = [Math.min(...temperatures), Math.max(...temperatures)].map((value) =>
    formatShort(value),
  );
  return low === high ? `temperature ${low}` : `temperatures ${low} to ${high}`;
}

/** Makes the figure of the temperatures along the path; returns none if no curve has temperatures. */
export function temperatureFigures(curves: readonly ShownCurve[]): Figure[] {
  const series = curves.flatMap(({ label, result, temperatures }, style) =>
    temperatures === undefined
      ? []
      : [
          {
            label,
            style,
            points: result.points.map(({ t }, index) => ({ x: t, y: temperatures[index] ?? Number.NaN })),
          },
        ],
  );
  if (series.length === 0) return [];
  const words = curves.flatMap(({ label, temperatures }) =>
    temperatures === undefined ? [] : [`${label}: ${temperatureWords(temperatures)}`],
  );
  return [
    {
      name: "temperature",
      title: "Temperature along the path,",
      caption:
        "by which all logits at a place are divided: above 1 where the network is surer than it is right, below 1 where it is less sure.",
      words: `Lines of the fitted temperature along the path. ${words.join("; ")}.`,
      table: "points",
      size: "half",
      plot: {
        kind: "lines",
        series,
        x: { label: "Place t on the path", ticks: [0, 0.25, 0.5, 0.75, 1] },
        y: { label: "Temperature", scale: "log" },
      },
    },
  ];
}

/** States to which examples temperatures were fitted, if there are any. */
export function temperatureFact(curves: readonly BarrierCurve[]): PageFact[] {
  const fitted = curves.flatMap(({ result: { tempered } }) => (tempered === undefined ? [] : [tempered]));
  const values = fitted.map(
    ({ data, examples }) => `one at every place, fitted to ${data}, ${formatCounted(examples, "example")}`,
  );
  return [...new Set(values)].map((value) => ({ name: "Temperature", value }));
}
