import { at, meanOf } from "@isthmus/core";
import {
  dataWords,
  type Figure,
  factsOf,
  formatCounted,
  formatNumber,
  formatShare,
  lossWords,
  type Report,
  type Table,
} from "@isthmus/findings";
import type { DropoutShare, DropoutStabilityResult } from "./dropout-result.ts";

/** Describes the rise of a network's loss when units are taken out. */
export function describeDropoutStability(result: DropoutStabilityResult): Report {
  const { shares, choice, rescale } = result;
  const { unit } = lossWords(result);
  return {
    subject: "dropout stability",
    summary: summarize(result),
    tiles: [
      { name: "loss of the whole network", value: formatNumber(result.loss), unit, more: [] },
      ...shares.map(({ share, rise }, style) => ({
        name: `rise with ${formatShare(share)} of the units`,
        value: formatNumber(rise.mean),
        unit,
        more: [`from ${formatNumber(rise.min)} to ${formatNumber(rise.max)} over choices of units`],
        style,
      })),
    ],
    sections: [
      {
        name: "layers",
        title: "Layer by layer",
        figures: [layersFigure(result), ...(shares.length > 1 ? [sharesFigure(result)] : [])],
        tables: [sharesTable(result), stepsTable(result)],
      },
    ],
    facts: factsOf(result, [
      { name: "Network", value: result.network },
      {
        name: "Units that stay",
        value: choice === "largest" ? "the ones with the largest weights" : "at random",
      },
      { name: "Rescaled", value: rescale === "fit" ? "to the least loss" : "by the inverse of their share" },
    ]),
    notes: Object.entries(result.left).map(([name, reason]) => `All units of "${name}" stay: ${reason}.`),
    data: result,
  };
}

/**
 * Fraction of a step, or of the range of values, by which an axis extends beyond them, so that no mark lies
 * on another axis.
 */
const ROOM = 0.15;
/** Ratio of the largest to the smallest value from which their axis is logarithmic. */
const FAR = 10;

function summarize(result: DropoutStabilityResult): string {
  const { loss, shares, layers } = result;
  const losses = lossWords(result);
  const rises = shares.map(({ share, rise }) => `${losses.amount(rise.mean)} with ${formatShare(share)}`);
  return `The loss of ${losses.amount(loss)} rises by up to ${rises.join(", ")} of the units of ${formatCounted(layers.length, "layer")}, in the mean over choices of units.`;
}

/** Computes the mean loss over trials, and its range, for each step of a share, the last layer first. */
function meanLosses({ trials }: DropoutShare): readonly {
  readonly from: string;
  readonly loss: number;
  readonly low: number;
  readonly high: number;
}[] {
  return at(trials, 0, "trial").steps.map(({ from }, index) => {
    const losses = trials.flatMap(({ steps }) => steps.slice(index, index + 1).map(({ loss }) => loss));
    return { from, loss: meanOf(losses), low: Math.min(...losses), high: Math.max(...losses) };
  });
}

function layersFigure(result: DropoutStabilityResult): Figure {
  const { shares, loss, data, examples } = result;
  const losses = lossWords(result);
  return {
    name: "layers",
    title: "Loss by the number of layers without some units,",
    caption: `${losses.inUnit} on ${dataWords(data, examples)}, from the whole network to all layers, the last layer first; bands from the lowest to the highest choice of units.`,
    words: shares
      .map(
        (share) =>
          `${formatShare(share.share)} of the units: ${meanLosses(share)
            .map((step) => formatNumber(step.loss))
            .join(", ")}`,
      )
      .join("; "),
    table: "steps",
    size: "hero",
    plot: {
      kind: "lines",
      series: shares.map((share) => ({
        label: `${formatShare(share.share)} of the units`,
        points: [
          { x: 0, y: loss },
          ...meanLosses(share).map((step, index) => ({
            x: index + 1,
            y: step.loss,
            low: step.low,
            high: step.high,
          })),
        ],
      })),
      x: {
        label: "Layers without some units, counted from the last",
        domain: [-ROOM, result.layers.length + ROOM],
        ticks: Array.from({ length: result.layers.length + 1 }, (_, count) => count),
      },
      y: {
        label: losses.axis("Loss"),
        ...scaleOf(shares.flatMap(meanLosses).flatMap(({ low, high }) => [low, high])),
      },
    },
  };
}

/**
 * Chooses a logarithmic axis if low values would otherwise lie on the axis below, as others are far higher.
 */
function scaleOf(values: readonly number[]): { readonly scale?: "log" } {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low > 0 && high > FAR * low ? { scale: "log" } : {};
}

function sharesFigure(result: DropoutStabilityResult): Figure {
  const { shares, data, examples } = result;
  const losses = lossWords(result);
  const staying = shares.map(({ share }) => share);
  const [first, last] = [Math.min(...staying), Math.max(...staying)];
  const room = ROOM * (last - first);
  return {
    name: "shares",
    title: "Rise of the loss by the share of units that stays,",
    caption: `${losses.inUnit} on ${dataWords(data, examples)}: the largest over layers; the band is from the lowest to the highest choice of units.`,
    words: shares.map(({ share, rise }) => `${formatShare(share)}: ${formatNumber(rise.mean)}`).join("; "),
    table: "shares",
    size: "half",
    plot: {
      kind: "lines",
      series: [
        {
          label: "rise of the loss",
          points: shares.map(({ share, rise }) => ({
            x: share,
            y: rise.mean,
            low: rise.min,
            high: rise.max,
          })),
        },
      ],
      x: {
        label: "Share of the units that stays (%)",
        percent: true,
        ticks: shares.map(({ share }) => share),
        domain: [Math.max(0, first - room), Math.min(1, last + room)],
      },
      y: {
        label: losses.axis("Rise of the loss"),
        ...scaleOf(shares.flatMap(({ rise }) => [rise.min, rise.max])),
      },
    },
  };
}

function sharesTable(result: DropoutStabilityResult): Table {
  return {
    name: "shares",
    title: "Rise of the loss",
    caption: `Largest rise of the loss over layers, ${lossWords(result).inUnit}: mean, lowest and highest over choices of units.`,
    columns: [
      { title: "Share of units", kind: "share" },
      { title: "Mean", kind: "loss" },
      { title: "Lowest", kind: "loss" },
      { title: "Highest", kind: "loss" },
      { title: "Choices", kind: "count" },
    ],
    rows: result.shares.map(({ share, rise, trials }) => ({
      cells: [share, rise.mean, rise.min, rise.max, trials.length],
    })),
  };
}

function stepsTable(result: DropoutStabilityResult): Table {
  return {
    name: "steps",
    title: "Every network without some units",
    caption: `Units are taken out of the named layer and of all behind it. Loss ${lossWords(result).inUnits("percent")}.`,
    columns: [
      { title: "Share of units", kind: "share" },
      { title: "Choice", kind: "count" },
      { title: "From layer", kind: "text" },
      { title: "Units", kind: "count" },
      { title: "Factor", kind: "number" },
      { title: "Loss", kind: "loss" },
      { title: "Error", kind: "share" },
    ],
    rows: result.shares.flatMap(({ share, trials }) =>
      trials.flatMap(({ steps }, trial) =>
        steps.map(({ from, units, factor, loss, error }) => ({
          cells: [share, trial + 1, from, units, factor, loss, error],
        })),
      ),
    ),
  };
}
