import { at } from "@isthmus/core";
import type { LinearRule } from "./aggregation-rule.ts";
import { type OfMerge, weightedBy } from "./parameters.ts";
import { meanWeights } from "./points.ts";

type FedbuffSpecs = { readonly exponent: OfMerge<number>; readonly weighted: OfMerge<boolean> };

const PARAMETERS: FedbuffSpecs = {
  exponent: {
    description: "How fast late updates lose weight: by (1 + rounds late) to the power of minus this.",
    of: "merge",
    default: 0.5,
    least: 0,
  },
  weighted: weightedBy(false),
};

/**
 * The mean of a buffer of updates, each divided by the root of 1 and the rounds that it is late by.
 *
 * Weights are not divided by their sum, as in the paper: a buffer of late updates makes a small step. The
 * server step has the learning rate that the paper gives to the server.
 */
export const fedbuff: LinearRule<FedbuffSpecs> = {
  kind: "linear",
  name: "fedbuff",
  description: "Averages a buffer of updates that began at different rounds, late ones counting less.",
  source: "Nguyen et al., Federated learning with buffered asynchronous aggregation, 2022, algorithm 1",
  parameters: PARAMETERS,
  needs: [],
  weigh(points, { exponent, weighted }) {
    const weights = meanWeights(points, weighted);
    return { weights: weights.map((weight, i) => weight * (1 + at(points.staleness, i)) ** -exponent) };
  },
};
