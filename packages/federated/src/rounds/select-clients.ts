import { createRandom } from "@isthmus/core";
import type { FederationPlan } from "./federation-plan.ts";
import type { OpenRound } from "./federation-state.ts";

/** Clients that a round asks, and the number of updates that it waits for. */
export interface SelectedClients {
  /** Names of the clients, sorted. */
  readonly clients: readonly string[];
  /** Number of updates that the round closes with. */
  readonly target: number;
}

/**
 * Chooses the clients of a round at random from the plan's seed: as many as its fraction says, and some more
 * in case some are lost (Bonawitz et al., Towards federated learning at scale, 2019, section 4.2); or each
 * client by itself, by Poisson sampling.
 * @param present - names of the clients that are present, sorted, at least as many as the quorum
 * @param round - number of the round, from 1
 * @param attempt - number of the start of the round, from 1; another start asks other clients
 */
export function selectClients(
  plan: FederationPlan,
  present: readonly string[],
  round: number,
  attempt: number,
): SelectedClients {
  if (plan.buffer !== null) return { clients: present, target: Math.min(plan.buffer, present.length) };
  const purpose = `clients of round ${round}, attempt ${attempt}`;
  if (plan.sampling === "poisson") {
    const random = createRandom(plan.seed, purpose);
    const clients = present.filter(() => random.uniform() < plan.fraction);
    return { clients, target: Math.max(plan.quorum, clients.length) };
  }
  const target = Math.max(plan.quorum, Math.ceil(plan.fraction * present.length));
  const asked = Math.min(present.length, Math.ceil(target * (1 + plan.overSelection)));
  const clients = drawClients(plan, present, purpose, asked);
  return { clients, target };
}

/**
 * Chooses clients in place of clients that left an open round, at random from the plan's seed.
 * @param idle - names of the clients that are present and were not asked, sorted
 * @param open - the round
 * @param missing - number of clients that the quorum lacks; none are chosen for 0 and below
 */
export function selectReplacements(
  plan: FederationPlan,
  idle: readonly string[],
  { round, attempt, clients }: OpenRound,
  missing: number,
): readonly string[] {
  // With a buffer, all clients that are present work without being asked. Lost clients are not replaced with
  // Poisson sampling, nor in a secure sum, whose clients have agreed on masks.
  const isFixed = plan.buffer !== null || plan.sampling === "poisson" || plan.secure !== null;
  if (missing <= 0 || isFixed) return [];
  const purpose = `clients of round ${round}, attempt ${attempt}, after ${clients.length}`;
  return drawClients(plan, idle, purpose, missing);
}

/**
 * Draws `count` of the names from the random stream of a purpose, and returns them in the order of the names.
 */
function drawClients(
  { seed }: FederationPlan,
  names: readonly string[],
  purpose: string,
  count: number,
): readonly string[] {
  const order = Array.from(names.keys());
  createRandom(seed, purpose).shuffleInPlace(order);
  const chosen = new Set(order.slice(0, count));
  return names.filter((_, i) => chosen.has(i));
}
