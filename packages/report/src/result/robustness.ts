import type { DirectionRobustness, LayersResult } from "@isthmus/barrier";
import { dataWords } from "../data-words.ts";
import { drawBars } from "../figure/bar-figure.ts";
import { formatNumber } from "../format-value.ts";
import type { Section } from "./report.ts";

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Bars of the way to B and of the mean over random directions, whose range is the interval. */
function barsOf({ group, random, toOther }: DirectionRobustness) {
  return [
    { row: group, series: 0, value: toOther.end },
    ...(random.length === 0
      ? []
      : [
          { row: group, series: 1, value: mean(random), low: Math.min(...random), high: Math.max(...random) },
        ]),
  ];
}

/** Describes random directions beside the way to the other network; no section if the result has none. */
export function robustnessSection({ robustness, data, examples, seed }: LayersResult): Section[] {
  if (!robustness || robustness.length === 0) return [];
  const words = robustness.map(
    ({ group, random, toOther }) =>
      `${group} ${formatNumber(toOther.end)} towards B, ${formatNumber(mean(random))} at random`,
  );
  const count = Math.max(...robustness.map(({ random }) => random.length));
  return [
    {
      name: "robustness",
      title: "Random directions of the same length",
      figures: [
        {
          name: "robustness",
          title: "Rise of the loss over A at the end of the way:",
          caption: `to B, and ${count > 1 ? `on average over ${count} random directions of the same length, with their range as a thin line` : "in one random direction of the same length"} (seed ${seed}). Measured on ${dataWords(data, examples)}.`,
          words: `Bars of the rise of the loss, in nats. ${words.join("; ")}.`,
          table: "robustness",
          size: "hero",
          draw: drawBars({
            rows: robustness.map(({ group }) => group),
            series: ["towards B", "random directions"],
            bars: robustness.flatMap(barsOf),
            axis: { label: "Rise of the loss over A (nats)" },
          }),
        },
      ],
      tables: [
        {
          name: "robustness",
          title: "Random directions and the way to B",
          caption:
            "Rise of the loss over network A, in nats, half-way and at the end; of random directions the mean and the range.",
          columns: [
            { title: "Group", kind: "text" },
            { title: "Half-way", kind: "loss", group: "towards B", style: 0 },
            { title: "End", kind: "loss", group: "towards B", style: 0 },
            ...(["Half-way, mean", "End, mean", "End, lowest", "End, highest"] as const).map((title) => ({
              title,
              kind: "loss" as const,
              group: "random directions",
              style: 1,
            })),
          ],
          rows: robustness.map(({ group, random, randomHalfway, toOther }) => ({
            cells: [
              group,
              toOther.halfway,
              toOther.end,
              ...(random.length === 0
                ? [null, null, null, null]
                : [mean(randomHalfway), mean(random), Math.min(...random), Math.max(...random)]),
            ],
          })),
        },
      ],
    },
  ];
}
