import { mul, split, sum, type Value } from "@isthmus/graph/builder";
import { normalWeight } from "../initializer.ts";
import type { NetworkBuilder } from "../network-builder.ts";
import { type GatedUnits, gatedUnits } from "./gated-units.ts";
import { linear } from "./linear.ts";
import { type Routing, routeTokens } from "./route-tokens.ts";

/** Extents of a mixture of experts, of which each is a gated feed-forward network. */
export interface MixtureOfExperts extends Pick<GatedUnits, "hidden" | "activation" | "layers"> {
  /** Number of experts. */
  readonly experts: number;
  /** Rule by which tokens are sent to experts. */
  readonly routing: Routing;
}

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
  { experts, routing, ...units }: MixtureOfExperts,
): Value {
  const scores = linear(network, rows, `${name}.gate`, { out: experts, initializer: START, bias: false });
  const shares = split(routeTokens(scores, routing), 1, Array<number>(experts).fill(1));
  return sum(
    shares.map((share, index) => mul(gatedUnits(network, rows, `${name}.experts.${index}`, units), share)),
  );
}
