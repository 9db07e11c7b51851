import {
  alikeFormat,
  type ColorScale,
  divergingScale,
  type Figure,
  firstWords,
  formatCounted,
  formatNumber,
  formatShort,
  type LossWords,
  lossWords,
  type NumberFormat,
  type Section,
  type Table,
} from "@isthmus/findings";
import type { BarrierPrediction, LayersResult } from "../layers-result.ts";

type Predictions = NonNullable<LayersResult["predictions"]>;

/** Networks at the ends of a path, in the order of tables. */
const ENDS = ["a", "b"] as const;

/** Settings of the display of curvatures, shared by both ends. */
interface Shown {
  readonly names: readonly string[];
  readonly scale: ColorScale;
  readonly format: NumberFormat;
  /** Words for the examples on which curvatures were measured. */
  readonly measured: string;
  readonly losses: LossWords;
}

/** Describes predicted beside measured barriers; returns no section if the result has no predictions. */
export function predictionSection(result: LayersResult): Section[] {
  const { predictions, groups, data } = result;
  if (!predictions) return [];
  const names = groups.map(({ name }) => name);
  const curvatures = predictions.interactions.flatMap((interaction) => interaction.curvatures.flat());
  const shown: Shown = {
    names,
    scale: divergingScale(curvatures),
    format: alikeFormat(curvatures),
    measured: firstWords(data, predictions.examples),
    losses: lossWords(result),
  };
  return [
    {
      name: "predictions",
      title: "Predicted from the ends",
      figures: [scatterFigure(predictions, shown)],
      tables: [predictionTable(predictions, shown)],
    },
    {
      name: "interactions",
      title: "What groups do together",
      figures: predictions.interactions.map((interaction) => interactionFigure(interaction, shown)),
      tables: [interactionTable(predictions, shown)],
    },
  ];
}

function scatterFigure({ barriers, rankCorrelation }: Predictions, { measured, losses }: Shown): Figure {
  const rank = formatShort(rankCorrelation);
  const pairs = barriers.map(
    ({ group, predicted, measured }) =>
      `${group} ${formatNumber(measured)} measured, ${formatNumber(predicted)} predicted`,
  );
  return {
    name: "predictions",
    title: `Measured against predicted loss barriers: rank correlation ${rank}.`,
    caption: `Predictions are to second order, from slopes and curvatures of the loss at both ends, each at the highest place of its way; on the dotted line they are exact. The rank correlation (Spearman) is over single groups. Predicted and measured on ${measured}.`,
    words: `Dots of measured over predicted loss barriers, ${losses.inUnit}, rank correlation ${rank}. ${pairs.join("; ")}.`,
    table: "predictions",
    size: "hero",
    plot: {
      kind: "lines",
      series: [{ label: "", joined: false, points: barriers.map(toPoint) }],
      x: { label: losses.axis("Predicted loss barrier") },
      y: { label: losses.axis("Measured loss barrier") },
      diagonal: true,
    },
  };
}

const toPoint = ({ group, predicted, measured }: BarrierPrediction) => ({
  x: predicted,
  y: measured,
  name: group,
});

function interactionFigure(
  { network, curvatures }: Predictions["interactions"][number],
  { names, scale, format, measured, losses }: Shown,
): Figure {
  const end = network.toUpperCase();
  const diagonal = names.map(
    (name, index) => `${name} ${formatNumber(curvatures[index]?.[index] ?? Number.NaN)}`,
  );
  return {
    name: `interactions-${network}`,
    title: `Curvature of the loss between groups, at ${end}:`,
    caption: `d′ H d over the ways of two groups, ${losses.inUnit}; all of them add up to the curvature of the whole way. ${signWords(scale)} Both figures have the same colours. Measured on ${measured}.`,
    words: `Heat map of curvatures between groups at ${end}, ${losses.inUnit}. On the diagonal: ${diagonal.join("; ")}.`,
    table: "interactions",
    size: "half",
    plot: {
      kind: "heat",
      rows: names,
      columns: names,
      values: curvatures,
      label: losses.axis("Curvature"),
      columnLabel: "Group",
      scale,
      format,
    },
  };
}

/** Explains the colours of a scale with signs. */
function signWords({ levels }: ColorScale): string {
  const neutral = levels.find((level) => level > 0);
  if (neutral === undefined) return "All of them are 0.";
  return `Red is positive, blue is negative, and grey is within ${formatShort(neutral)} of 0.`;
}

function predictionTable({ barriers, examples }: Predictions, { losses }: Shown): Table {
  return {
    name: "predictions",
    title: "Predicted and measured barriers",
    caption: `Loss barriers ${losses.inUnit}, at the highest place of each way, on ${formatCounted(examples, "example")}; slopes and curvatures by t along the way from A to B, at each end.`,
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

function interactionTable({ interactions }: Predictions, { names, losses }: Shown): Table {
  return {
    name: "interactions",
    title: "Curvature between groups",
    caption: `d′ H d over the ways of two groups, ${losses.inUnit}, at each end.`,
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
