import { entry } from "@isthmus/core";
import {
  layOutGrids,
  prunableWeights,
  type RoundedWeight,
  roundToGrids,
  type WeightGrids,
} from "@isthmus/sparsity";
import { findAxisUses } from "@isthmus/symmetry/layout";
import { act, carry, type Doubles, scaled, undo } from "../element.ts";
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
 * Error of rounding weights to the grids of a quantiser, brought back to the network as it was given: the
 * mean over weights of `|D|^2 / |W|^2`, where `W + D` computes the same as the rounded network. So a scale
 * that makes weights small, and their errors with them, gains nothing by itself.
 *
 * Derivatives take each error as noise whose size follows the scale of its grid, and each scale follows the
 * weight of largest magnitude: the steps of rounding itself, which change with the smallest move, average out.
 */
export const QUANTIZATION: ObjectiveKind = {
  help: "error of weights that are rounded to the grid of --bits and --scheme, of the weights alone",
  direction: "lower",
  needsData: false,
  async open(inputs) {
    const { orbit } = inputs;
    const grids = gridsOf(inputs);
    const given = act(orbit, orbit.identity, orbit.base);
    const weightOf = new Map(
      [...grids.keys()].map((name) => {
        const square = squareOf(entry(given, name, "weight"));
        return [name, square > 0 ? 1 / (square * grids.size) : 0];
      }),
    );
    // Errors of the rounded network, and the same brought back to the network as it was given.
    const errorsOf = ({ element, weights }: Place) => {
      const rounded = round(grids, weights);
      const errors = new Map(
        [...rounded].map(([name, { values }]) => {
          const exact = entry(weights, name, "weight");
          return [name, values.map((value, i) => value - (exact[i] as number))];
        }),
      );
      const back = scaled(orbit, orbit.identity.scales, undo(orbit, element, errors), 0);
      let value = 0;
      for (const [name, share] of weightOf) value += share * squareOf(entry(back, name, "weight"));
      return { rounded, errors, back, value };
    };
    return {
      measure: async (place) => errorsOf(place).value,
      async slope(place) {
        const { rounded, errors, back, value } = errorsOf(place);
        const ofBack = new Map(
          [...back].map(([name, error]) => {
            const share = 2 * entry(weightOf, name, "weight");
            return [name, error.map((difference) => share * difference)];
          }),
        );
        const ofErrors = carry(orbit, place.element, scaled(orbit, orbit.identity.scales, ofBack, 0));
        const negative = new Map(
          [...ofErrors].map(([name, slopes]) => [name, slopes.map((slope) => -slope)]),
        );
        const ofPeaks = new Map(
          [...rounded].map(([name, { peaks }]) => {
            const parts = { slopes: entry(ofErrors, name, "weight"), errors: entry(errors, name, "weight") };
            const weight = {
              values: entry(place.weights, name, "weight"),
              grids: entry(grids, name, "weight"),
            };
            return [name, peakSlopes(weight, peaks, parts)];
          }),
        );
        return {
          value,
          pairings: [
            { gradients: negative, moved: errors, areWeights: false },
            { gradients: ofPeaks, moved: place.weights, areWeights: true },
          ],
        };
      },
      release: async () => {},
    };
  },
};

const squareOf = (values: Float64Array): number => values.reduce((sum, value) => sum + value * value, 0);

/** Returns the derivatives by the weights of largest magnitude, with whose scales the errors of grids grow. */
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
 * one batch of examples after the other.
 * @see Liu et al., SpinQuant (2024), who learn rotations of residual streams by this loss
 */
export const QUANTIZED_LOSS: ObjectiveKind = {
  help: "loss of the network whose weights are rounded to that grid",
  direction: "lower",
  needsData: true,
  async open(inputs) {
    const grids = gridsOf(inputs);
    const at = await openLossAt(inputs);
    const place = (weights: Doubles) => {
      const rounded = new Map(weights);
      for (const [name, { values }] of round(grids, weights)) rounded.set(name, values);
      return at.join(rounded);
    };
    let steps = 0;
    return {
      isSampled: at.batches > 1,
      measure: ({ weights }) => at.loss(place(weights)),
      async slope({ weights }) {
        const gradient = new Float64Array(at.dimension);
        const value = await at.gradient(place(weights), gradient, steps++ % at.batches);
        return { value, pairings: [{ gradients: at.split(gradient), moved: weights, areWeights: true }] };
      },
      release: at.release,
    };
  },
};
