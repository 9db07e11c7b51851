import type { BarrierPrediction, LayersResult } from "@isthmus/barrier";
import type { Figure } from "../figure/figure.ts";
import { drawHeat } from "../figure/heat-figure.ts";
import { drawLines } from "../figure/line-figure.ts";
import { formatCount, formatNumber, formatShort } from "../format-value.ts";
import type { Table } from "../table/table.ts";
import type { Section } from "./report.ts";

type Predictions = NonNullable<LayersResult["predictions"]>;

/** Networks at the ends of a path, in the order of tables. */
const ENDS = ["a", "b"] as const;

/** Predicted beside measured barriers, where they were asked for. */
export function predictionSection({ predictions, groups }: LayersResult): Section[] {
  if (!predictions) return [];
  const names = groups.map(({ name }) => name);
  return [
    {
      name: "predictions",
      title: "Predicted from the ends",
      figures: [scatterFigure(predictions)],
      tables: [predictionTable(predictions)],
    },
    {
      name: "interactions",
      title: "What groups do together",
      figures: predictions.interactions.map((interaction) => interactionFigure(interaction, names)),
      tables: [interactionTable(predictions, names)],
    },
  ];
}

function scatterFigure({ barriers, rankCorrelation, examples }: Predictions): Figure {
  const rank = formatShort(rankCorrelation);
  const pairs = barriers.map(
    ({ group, predicted, measured }) =>
      `${group} ${formatNumber(measured)} measured, ${formatNumber(predicted)} predicted`,
  );
  return {
    name: "predictions",
    title: `Measured against predicted loss barriers: rank correlation ${rank}.`,
    caption: `Predictions are to second order, from slopes and curvatures of the loss at both ends, on ${formatCount(examples)} examples, each at the highest place of its way; on the dotted line they are exact. The rank correlation (Spearman) is over single groups.`,
    words: `Dots of measured over predicted loss barriers, in nats, rank correlation ${rank}. ${pairs.join("; ")}.`,
    table: "predictions",
    size: "hero",
    draw: drawLines({
      series: [{ label: "", joined: false, points: barriers.map(toPoint) }],
      x: { label: "Predicted (nats)" },
      y: { label: "Measured (nats)" },
      diagonal: true,
    }),
  };
}

const toPoint = ({ group, predicted, measured }: BarrierPrediction) => ({
  x: predicted,
  y: measured,
  name: group,
});

function interactionFigure(
  { network, curvatures }: Predictions["interactions"][number],
  names: readonly string[],
): Figure {
  const end = network.toUpperCase();
  const own = names.map((name, index) => `${name} ${formatNumber(curvatures[index]?.[index] ?? Number.NaN)}`);
  return {
    name: `interactions-${network}`,
    title: `Curvature of the loss between groups, at ${end}:`,
    caption:
      "d′ H d over the ways of two groups, in nats; all of them add up to the curvature of the whole way.",
    words: `Heat map of curvatures between groups at ${end}, in nats. On the diagonal: ${own.join("; ")}.`,
    table: "interactions",
    size: "half",
    draw: drawHeat({
      rows: names,
      columns: names,
      values: curvatures,
      label: "Curvature (nats)",
      columnLabel: "",
      format: (value) => formatShort(value, 2),
    }),
  };
}

function predictionTable({ barriers, examples }: Predictions): Table {
  return {
    name: "predictions",
    title: "Predicted and measured barriers",
    caption: `Loss barriers in nats, at the highest place of each way, on ${formatCount(examples)} examples; slopes and curvatures by t along the way from A to B, at each end.`,
    columns: [
      { title: "Group", kind: "text" },
      { title: "Predicted", kind: "loss" },
      { title: "Measured", kind: "loss" },
      ...ENDS.flatMap((network) => [
        { title: `Slope at ${network.toUpperCase()}`, kind: "number" as const },
        { title: `Curvature at ${network.toUpperCase()}`, kind: "number" as const },
      ]),
    ],
    rows: barriers.map(({ group, predicted, measured, ends }) => ({
      cells: [
        group,
        predicted,
        measured,
        ...ENDS.flatMap((network) => {
          const end = ends.find((one) => one.network === network);
          return [end?.slope ?? null, end?.curvature ?? null];
        }),
      ],
    })),
  };
}

function interactionTable({ interactions }: Predictions, names: readonly string[]): Table {
  return {
    name: "interactions",
    title: "Curvature between groups",
    caption: "d′ H d over the ways of two groups, in nats, at each end.",
    columns: [
      { title: "Group", kind: "text" },
      { title: "and group", kind: "text" },
      ...interactions.map(({ network }) => ({
        title: `At ${network.toUpperCase()}`,
        kind: "number" as const,
      })),
    ],
    rows: names.flatMap((one, row) =>
      names.map((other, column) => ({
        cells: [one, other, ...interactions.map(({ curvatures }) => curvatures[row]?.[column] ?? null)],
      })),
    ),
  };
}
