import type { LayersResult } from "@isthmus/barrier";
import { drawLines } from "../figure/line-figure.ts";
import { formatCount, formatNumber } from "../format-value.ts";
import type { Section } from "./report.ts";

/** Predicted beside measured barriers, where they were asked for. */
export function predictionSection({ predictions }: LayersResult): Section[] {
  if (!predictions) return [];
  const { barriers, rankCorrelation, examples } = predictions;
  const rank = formatNumber(rankCorrelation);
  const pairs = barriers.map(
    ({ group, predicted, measured }) =>
      `${group} ${formatNumber(measured)} measured, ${formatNumber(predicted)} predicted`,
  );
  return [
    {
      name: "predictions",
      title: "Predicted from the ends",
      figures: [
        {
          name: "predictions",
          title: `Measured against predicted loss barriers: rank correlation ${rank}.`,
          caption: `Predictions are to second order, from slopes and curvatures of the loss at both ends, on ${formatCount(examples)} examples; on the dotted line they are exact. The rank correlation (Spearman) is over single groups.`,
          words: `Dots of measured over predicted loss barriers, in nats, rank correlation ${rank}. ${pairs.join("; ")}.`,
          table: "predictions",
          size: "half",
          draw: drawLines({
            series: [
              {
                label: "",
                joined: false,
                points: barriers.map(({ group, predicted, measured }) => ({
                  x: predicted,
                  y: measured,
                  name: group,
                })),
              },
            ],
            x: { label: "Predicted (nats)" },
            y: { label: "Measured (nats)" },
            diagonal: true,
          }),
        },
      ],
      tables: [
        {
          name: "predictions",
          title: "Predicted and measured barriers",
          caption: `Loss barriers above the chord, in nats, on ${formatCount(examples)} examples; slopes and curvatures are along the way, at each end.`,
          columns: [
            { title: "Group", kind: "text" },
            { title: "Predicted", kind: "loss" },
            { title: "Measured", kind: "loss" },
            ...(["a", "b"] as const).flatMap((network) => [
              { title: `Slope at ${network.toUpperCase()}`, kind: "number" as const },
              { title: `Curvature at ${network.toUpperCase()}`, kind: "number" as const },
            ]),
          ],
          rows: barriers.map(({ group, predicted, measured, ends }) => ({
            cells: [
              group,
              predicted,
              measured,
              ...(["a", "b"] as const).flatMap((network) => {
                const end = ends.find((one) => one.network === network);
                return [end?.slope ?? null, end?.curvature ?? null];
              }),
            ],
          })),
        },
      ],
    },
  ];
}
