import { createRandom } from "@isthmus/core";
import type { FederationPlan } from "./federation-plan.ts";

/** Whom a round asks, and how many of them it waits for. */
export interface SelectedClients {
  /** Names of the clients, sorted. */
  readonly clients: readonly string[];
  /** Number of updates that the round closes with. */
  readonly target: number;
}

/**
 * Chooses the clients of a round at random from the plan's seed: as many as its fraction says, and some more
 * whose loss would not matter (Bonawitz et al., Towards federated learning at scale, 2019, section 4.2).
 * @param present - names of the clients that are there, sorted, at least as many as the quorum
 * @param round - number of the round, from 1
 * @param attempt - number of the start of the round, from 1; another one asks others
 */
export function selectClients(
  plan: FederationPlan,
  present: readonly string[],
  round: number,
  attempt: number,
): SelectedClients {
  if (plan.buffer !== null) return { clients: present, target: Math.min(plan.buffer, present.length) };
  const target = Math.max(plan.quorum, Math.ceil(plan.fraction * present.length));
  const asked = Math.min(present.length, Math.ceil(target * (1 + plan.overSelection)));
  const order = Array.from(present.keys());
  createRandom(plan.seed, `clients of round ${round}, attempt ${attempt}`).shuffleInPlace(order);
  const chosen = new Set(order.slice(0, asked));
  return { clients: present.filter((_, i) => chosen.has(i)), target };
}
