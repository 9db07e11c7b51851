import { entry, toFloat64 } from "@isthmus/core";
import { limitExamples } from "@isthmus/graph";
import {
  layOutGrids,
  prunableWeights,
  type RoundedWeight,
  roundToGrids,
  type WeightGrids,
} from "@isthmus/sparsity";
import { findAxisUses } from "@isthmus/symmetry/layout";
import { measureFisher } from "@isthmus/training";
import { act, carry, type Doubles, scaled, undo } from "../element.ts";
import type { Pairing } from "../pull-back.ts";
import { openLossAt } from "./loss-at.ts";
import type { ObjectiveInputs, ObjectiveKind, Place } from "./objective.ts";

/** Lays out the grids of all weights that `isthmus quantize` quantises. */
function gridsOf({
  architecture: { graph },
  options: { bits, scheme },
}: ObjectiveInputs): Map<string, WeightGrids> {
  const uses = findAxisUses(graph);
  return new Map(
    prunableWeights("teleport", graph, undefined).map((name) => {
      const [axis = 0] = uses.get(name)?.kept ?? [];
      return [name, layOutGrids(entry(graph.weights, name, "weight").shape, { bits, scheme, axis })];
    }),
  );
}

/** Rounds weights to their grids. */
function round(grids: ReadonlyMap<string, WeightGrids>, weights: Doubles): Map<string, RoundedWeight> {
  return new Map(
    [...grids].map(([name, layout]) => [name, roundToGrids(entry(weights, name, "weight"), layout)]),
  );
}

/**
 * Chooses what the squared error of each element costs: its share in the relative error of its weight, the
 * mean over weights; with examples, half of the Fisher information, so that the sum is about by how much
 * predictions diverge, in nats.
 */
async function costsOf(
  { architecture, network, orbit, data, options }: ObjectiveInputs,
  names: readonly string[],
): Promise<Doubles> {
  if (data === undefined) {
    const weights = act(orbit, orbit.identity, orbit.base);
    return new Map(
      names.map((name) => {
        const square = squareOf(entry(weights, name, "weight"));
        return [
          name,
          entry(weights, name, "weight").map(() => (square > 0 ? 1 / (square * names.length) : 0)),
        ];
      }),
    );
  }
  const seen = options.examples === 0 ? data : limitExamples("teleport", data, options.examples);
  const fisher = await measureFisher(architecture, network, seen, { signal: options.signal });
  const costs: Doubles = new Map();
  for (const name of names) {
    const tensor = await fisher.read(name);
    costs.set(
      name,
      toFloat64(tensor.data, tensor.dtype).map((information) => information / 2),
    );
  }
  return costs;
}

/**
 * Error of rounding weights to the grids of a quantiser, brought back to the network as it was given: the
 * sum of `c D^2`, where `W + D` computes the same as the rounded network and `c` is what {@link costsOf}
 * chooses. So a scale that makes weights small, and their errors with them, gains nothing by itself.
 *
 * Derivatives take each error as noise whose size follows the scale of its grid, and each scale follows the
 * weight of largest magnitude: the steps of rounding itself, which change with the smallest move, average
 * out.
 */
export const QUANTIZATION: ObjectiveKind = {
  subject: "error of weights that are rounded to a grid",
  details: ", of --bits and --scheme, relative to the weights or, with --data, by their Fisher information",
  direction: "lower",
  needsData: false,
  async open(inputs) {
    const { orbit } = inputs;
    const grids = gridsOf(inputs);
    const costs = await costsOf(inputs, [...grids.keys()]);
    // Errors of the rounded network, and the same brought back to the network as it was given.
    const errorsOf = ({ element, weights }: Place) => {
      const rounded = round(grids, weights);
      const errors = subtract(rounded, weights);
      const back = scaled(orbit, orbit.identity.scales, undo(orbit, element, errors), 0);
      let value = 0;
      for (const [name, cost] of costs) {
        const error = entry(back, name, "weight");
        for (let i = 0; i < error.length; i++) value += (cost[i] as number) * (error[i] as number) ** 2;
      }
      return { rounded, errors, back, value };
    };
    return {
      measure: async (place) => errorsOf(place).value,
      async slope(place) {
        const { rounded, errors, back, value } = errorsOf(place);
        const ofBack = new Map(
          [...back].map(([name, error]) => {
            const cost = entry(costs, name, "weight");
            return [name, error.map((difference, i) => 2 * (cost[i] as number) * difference)];
          }),
        );
        const ofErrors = carry(orbit, place.element, scaled(orbit, orbit.identity.scales, ofBack, 0));
        return { value, pairings: pairingsOf({ grids, rounded, errors }, place.weights, ofErrors) };
      },
      release: async () => {},
    };
  },
};

/** Computes the errors of rounded weights. */
const subtract = (rounded: ReadonlyMap<string, RoundedWeight>, weights: Doubles): Doubles =>
  new Map(
    [...rounded].map(([name, { values }]) => {
      const exact = entry(weights, name, "weight");
      return [name, values.map((value, i) => value - (exact[i] as number))];
    }),
  );

/** Weights that are rounded to grids. */
interface Rounding {
  readonly grids: ReadonlyMap<string, WeightGrids>;
  readonly rounded: ReadonlyMap<string, RoundedWeight>;
  readonly errors: Doubles;
}

/**
 * Turns derivatives by the errors of rounded weights into derivatives by moves: a move carries each error
 * back, and each error follows the largest weight of its grid.
 */
function pairingsOf({ grids, rounded, errors }: Rounding, weights: Doubles, slopes: Doubles): Pairing[] {
  const negative: Doubles = new Map();
  const ofPeaks: Doubles = new Map();
  for (const [name, { peaks }] of rounded) {
    const parts = { slopes: entry(slopes, name, "weight"), errors: entry(errors, name, "weight") };
    const weight = { values: entry(weights, name, "weight"), grids: entry(grids, name, "weight") };
    negative.set(
      name,
      parts.slopes.map((slope) => -slope),
    );
    ofPeaks.set(name, peakSlopes(weight, peaks, parts));
  }
  return [
    { gradients: negative, moved: errors, areWeights: false },
    { gradients: ofPeaks, moved: weights, areWeights: true },
  ];
}

const squareOf = (values: Float64Array): number => values.reduce((sum, value) => sum + value * value, 0);

/** Returns the derivatives by the weights of largest magnitude, with which the errors of grids grow. */
function peakSlopes(
  { values, grids: { count, gridOf } }: { readonly values: Float64Array; readonly grids: WeightGrids },
  peaks: Int32Array,
  { slopes, errors }: { readonly slopes: Float64Array; readonly errors: Float64Array },
): Float64Array {
  const sums = new Float64Array(count);
  for (let i = 0; i < values.length; i++) {
    const grid = gridOf[i] as number;
    sums[grid] = (sums[grid] as number) + (slopes[i] as number) * (errors[i] as number);
  }
  const ofPeaks = new Float64Array(values.length);
  peaks.forEach((peak, grid) => {
    if (peak >= 0) ofPeaks[peak] = (sums[grid] as number) / (values[peak] as number);
  });
  return ofPeaks;
}

/**
 * Loss of the network with rounded weights. Derivatives pass straight through the rounding, and are taken on
 * one batch of examples after another.
 * @see Liu et al., SpinQuant (2024), who learn rotations of residual streams by this loss
 */
export const QUANTIZED_LOSS: ObjectiveKind = {
  subject: "loss of the network whose weights are rounded to that grid",
  direction: "lower",
  needsData: true,
  async open(inputs) {
    const grids = gridsOf(inputs);
    const at = await openLossAt(inputs);
    const join = (weights: Doubles, rounded: ReadonlyMap<string, RoundedWeight>) =>
      at.join(new Map([...weights, ...[...rounded].map(([name, { values }]) => [name, values] as const)]));
    let steps = 0;
    return {
      isSampled: at.batches > 1,
      measure: ({ weights }) => at.loss(join(weights, round(grids, weights))),
      async slope({ weights }) {
        const rounded = round(grids, weights);
        const errors = subtract(rounded, weights);
        const gradient = new Float64Array(at.dimension);
        const value = await at.gradient(join(weights, rounded), gradient, steps++ % at.batches);
        return { value, pairings: pairingsOf({ grids, rounded, errors }, weights, at.split(gradient)) };
      },
      release: at.release,
    };
  },
};
