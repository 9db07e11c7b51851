import { at } from "@isthmus/core";
import {
  cast,
  div,
  greater,
  less,
  mul,
  reduceSum,
  reshape,
  softmax,
  split,
  sum,
  type Value,
} from "@isthmus/graph/builder";
import { normalWeight } from "../initializer.ts";
import type { NetworkBuilder } from "../network-builder.ts";
import { linear } from "./linear.ts";

/** Extents of a mixture of experts. */
export interface MixtureOfExperts {
  /** Number of experts. */
  readonly experts: number;
  /** Number of experts to which a token is sent. */
  readonly active: number;
  /** Number of hidden units of an expert. */
  readonly hidden: number;
  /** Function of the gates of each expert, by which hidden units are multiplied. */
  readonly activation: (x: Value) => Value;
  /** Names of the layers of an expert. @defaultValue the names in Mixtral: `w1`, `w3`, `w2` */
  readonly layers?: ExpertLayers;
  /**
   * Whether the weights of the chosen experts sum to 1; else they are the probabilities of the router.
   * @defaultValue true
   */
  readonly normalized?: boolean;
}

/** Names of the layers of an expert. */
export interface ExpertLayers {
  /** Layer of the gates. */
  readonly gates: string;
  /** Layer of the hidden units. */
  readonly up: string;
  /** Layer from the hidden units back to the width of the rows. */
  readonly down: string;
}

const MIXTRAL_LAYERS: ExpertLayers = { gates: "w1", up: "w3", down: "w2" };

const START = normalWeight(0.02);

/**
 * Adds a mixture of gated feed-forward networks: the `active` experts of a token with the largest
 * probabilities, each weighted by its probability or by its share of these probabilities.
 *
 * All experts are computed for all tokens `rows [N * length, width]`, and multiplied by 0 if they are not
 * chosen: so the graph has one form for all tokens, but its cost grows with the number of experts. Experts
 * with equal probabilities are all chosen, or none of them.
 * @param name - prefix of its weights, which are named as in the published checkpoints
 * @see Jiang et al., Mixtral of experts, 2024, section 2.1
 */
export function mixtureOfExperts(
  network: NetworkBuilder,
  rows: Value,
  name: string,
  mixture: MixtureOfExperts,
): Value {
  const { experts, active, hidden, activation, layers = MIXTRAL_LAYERS, normalized = true } = mixture;
  const width = at(rows.shape, 1, "axis");
  const project = (x: Value, layer: string, out: number) =>
    linear(network, x, `${name}.${layer}`, { out, initializer: START, bias: false });
  const weights = sharesOf(project(rows, "gate", experts), active, normalized);
  const shares = split(weights, 1, Array<number>(experts).fill(1));
  const parts = shares.map((share, index) => {
    const expert = `experts.${index}`;
    const units = mul(
      activation(project(rows, `${expert}.${layers.gates}`, hidden)),
      project(rows, `${expert}.${layers.up}`, hidden),
    );
    return mul(project(units, `${expert}.${layers.down}`, width), share);
  });
  return sum(parts);
}

/**
 * Returns the probabilities of the `active` largest scores `[rows, experts]`, if asked over their sum, and 0
 * for the others.
 */
function sharesOf(scores: Value, active: number, normalized: boolean): Value {
  const experts = at(scores.shape, 1, "axis");
  // A score is chosen if fewer than `active` scores are larger: unlike a sorted selection, this is the same
  // function of every expert, so that no order of experts is preferred.
  const larger = greater(reshape(scores, [-1, 1, experts]), reshape(scores, [-1, experts, 1]));
  const chosen = less(reduceSum(cast(larger, "f32"), { axes: [2] }), active);
  const probabilities = mul(softmax(scores), cast(chosen, "f32"));
  if (!normalized) return probabilities;
  return div(probabilities, reduceSum(probabilities, { axes: [1], keepDims: true }));
}
