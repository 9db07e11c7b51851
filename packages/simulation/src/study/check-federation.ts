import { type Checkpoint, InputError } from "@isthmus/core";
import {
  lookUp,
  PRE_AGGREGATIONS,
  parametersOf,
  resolveRule,
  resolveStrategy,
  SERVER_STEPS,
  STRATEGY_DEFAULTS,
} from "@isthmus/federated";
import type { Graph } from "@isthmus/graph";
import { ATTACKS } from "../attacks.ts";
import type { FederationDescription } from "../description/federation-description.ts";
import { PARTITIONS } from "../partitions.ts";
import { assertNorms } from "../run/assert-norms.ts";
import { countRounds } from "../run/check-privacy.ts";
import { type ResolvedFederation, resolveFederation } from "../run/describe-defaults.ts";

/**
 * Checks a federation as far as possible before it is simulated: that all names are known, that parameters
 * are in their ranges, and that its rule is defined for the number of clients that a round asks.
 * @param network - network of the graph, with any weights
 * @throws InputError, UsageError, OutOfRangeError if something is wrong
 */
export function checkFederation(graph: Graph, network: Checkpoint, described: FederationDescription): void {
  const resolved = checkNames(described);
  const { strategy, clients, fraction, sampling } = resolved;
  const { rule, preAggregations = [] } = resolveStrategy(graph, network, strategy);
  countRounds(resolved);
  if (resolved.measure.norms) assertNorms(graph, network, resolved.net);
  if (rule === undefined) return;
  const least = rule.of.least?.(parametersOf("aggregate", rule));
  // With Poisson sampling a round may ask no client.
  const asked = sampling === "poisson" ? 0 : Math.ceil(fraction * clients);
  if (least === undefined || asked >= least.count || preAggregations.length > 0) return;
  throw new InputError(
    `Cannot simulate a federation by ${rule.of.name} as ${least.reason}: it needs at least ${least.count} updates, and a round ${sampling === "poisson" ? "may ask nobody" : `asks ${asked} clients`}; take more, or assume fewer attackers`,
    { input: rule.of.name },
  );
}

/**
 * Checks a federation as far as possible without its network: that all names are known, and that its numbers
 * and parameters are in their ranges.
 * @returns the federation with all defaults filled in
 * @throws InputError, UsageError, OutOfRangeError, UnsupportedError if something is wrong
 */
export function checkNames(described: FederationDescription): ResolvedFederation {
  const resolved = resolveFederation(described);
  const { strategy, partition, attack } = resolved;
  const { before, server } = { ...STRATEGY_DEFAULTS, ...strategy };
  parametersOf("aggregate", resolveRule(strategy));
  parametersOf("step the server", lookUp("optimiser of the server", SERVER_STEPS, server));
  for (const step of before) {
    parametersOf("prepare updates", lookUp("step before aggregation", PRE_AGGREGATIONS, step));
  }
  parametersOf("divide examples", lookUp("partition", PARTITIONS, partition));
  if (attack !== undefined) {
    const { attackers: _, ...named } = attack;
    parametersOf("attack", lookUp("attack", ATTACKS, named as { readonly name: string }));
  }
  return resolved;
}
