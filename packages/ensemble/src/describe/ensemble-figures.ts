import { dataWords, type Figure, formatNumber } from "@isthmus/findings";
import type { EnsembleResult } from "../ensemble-result.ts";
import type { JudgedPredictor } from "../predictions/create-judge.ts";

/** Measures that figures show; for all of them, lower is better. */
const MEASURES = {
  nll: { title: "Negative log likelihood:", axis: "NLL (nats)", unit: "nats" },
  ece: { title: "Expected calibration error:", axis: "ECE", unit: "in 15 bins" },
  brier: { title: "Brier score:", axis: "Brier score", unit: "0 to 2" },
} as const;

/** Draws one measure of all predictors as bars, with every network as a dot on the bar of single networks. */
export function qualityFigure(
  { predictors, networks, data, examples }: EnsembleResult,
  measure: keyof typeof MEASURES,
): Figure {
  const { title, axis, unit } = MEASURES[measure];
  const words = predictors.map((one) => `${one.name} ${formatNumber(one[measure])}`);
  const [single] = predictors;
  const dots = networks.length > 1 && single !== undefined;
  return {
    name: `quality-${measure}`,
    title,
    caption: `the shorter the bar, the better${dots ? "; the dots are every network alone" : ""}. Measured on ${dataWords(data, examples)}.`,
    words: `Bars of the ${title.toLowerCase().replace(":", "")} (${unit}). ${words.join("; ")}.`,
    table: "predictors",
    size: "half",
    plot: {
      kind: "bars",
      rows: predictors.map(({ name }) => name),
      series: ["predictor"],
      bars: predictors.map((one) => ({ row: one.name, series: 0, value: one[measure] })),
      ...(dots && {
        points: [
          {
            label: "one network",
            values: networks.map((one) => ({ row: single.name, value: one[measure] })),
          },
        ],
      }),
      axis: { label: axis, fromZero: true },
    },
  };
}

/**
 * Least share of all examples in a bin of confidence that is shown: the accuracy of few examples is no
 * estimate.
 */
const LEAST_SHARE = 0.01;
/**
 * Least number of examples in a bin of confidence that is shown, if it is more than {@link LEAST_SHARE} of
 * all.
 */
const LEAST_EXAMPLES = 5;

/** Draws the share of correct predictions by confidence; returns no figure if no bin has enough examples. */
export function reliabilityFigure({ predictors, data, examples }: EnsembleResult): Figure[] {
  const least = Math.max(LEAST_EXAMPLES, Math.ceil(LEAST_SHARE * examples));
  const drawn = predictors
    .map(({ reliability, ...predictor }, style) => {
      const bins = reliability.filter((bin) => bin.examples >= least);
      return { predictor: { ...predictor, reliability: bins }, style };
    })
    .filter(({ predictor }) => predictor.reliability.length > 0);
  if (drawn.length === 0) return [];
  return [
    {
      name: "reliability",
      title: "Accuracy over confidence:",
      caption: `predictions in 15 bins of equal width by their largest probability; on the dotted line confidence is right, below it too high. Bins of fewer than ${least} examples are left out. Measured on ${dataWords(data, examples)}.`,
      words: `Lines of accuracy over confidence. ${drawn.map(({ predictor }) => reliabilityWords(predictor)).join("; ")}.`,
      table: "predictors",
      size: "half",
      plot: {
        kind: "lines",
        series: drawn.map(({ predictor, style }) => ({
          label: predictor.name,
          style,
          points: predictor.reliability.map(({ confidence, accuracy }) => ({ x: confidence, y: accuracy })),
        })),
        x: { label: "Mean confidence" },
        y: { label: "Accuracy" },
        diagonal: true,
      },
    },
  ];
}

function reliabilityWords({ name, reliability }: JudgedPredictor): string {
  const widest = reliability.reduce((most, bin) => (gapOf(bin) > gapOf(most) ? bin : most));
  return `${name} is ${formatNumber(widest.accuracy)} right at a confidence of ${formatNumber(widest.confidence)} where both differ most`;
}

const gapOf = ({ accuracy, confidence }: JudgedPredictor["reliability"][number]): number =>
  Math.abs(accuracy - confidence);
