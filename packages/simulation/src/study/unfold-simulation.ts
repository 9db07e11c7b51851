import { entry, InputError } from "@isthmus/core";
import { unfold } from "@isthmus/forms";
import type { FederationDescription } from "../description/federation-description.ts";
import type { SimulationCell, SimulationDescription } from "../description/simulation-description.ts";
import { findSeedsProblem } from "./seeds.ts";

/** One federation of a simulation. */
export interface UnfoldedFederation {
  /** Names of the partition, strategy and attack, and the seed of this federation. */
  readonly cell: SimulationCell;
  /** Complete description of the federation. */
  readonly federation: FederationDescription;
}

/** Lists that a simulation has if it leaves them out. */
const LISTS_DEFAULTS: Required<Pick<SimulationDescription, "partitions" | "strategies" | "attacks">> = {
  partitions: { iid: { name: "iid" } },
  strategies: { fedavg: {} },
  attacks: { none: null },
};

/**
 * Returns the partitions, strategies and attacks of a simulation by name, the lists of the simulation or the
 * defaults.
 */
export function listsOf({
  partitions = LISTS_DEFAULTS.partitions,
  strategies = LISTS_DEFAULTS.strategies,
  attacks = LISTS_DEFAULTS.attacks,
}: Pick<SimulationDescription, "partitions" | "strategies" | "attacks">): typeof LISTS_DEFAULTS {
  return { partitions, strategies, attacks };
}

/**
 * Lists the federations of a simulation: partitions, strategies, attacks and seeds in all combinations; seeds
 * change fastest.
 * @throws InputError if there are no federations, or the seeds are not valid
 */
export function unfoldSimulation(description: SimulationDescription): readonly UnfoldedFederation[] {
  const { federation, seeds = [0] } = description;
  const problem = findSeedsProblem(seeds);
  if (problem !== undefined) {
    throw new InputError(`Cannot simulate as "seeds" ${problem}`, { input: "seeds" });
  }
  const { partitions, strategies, attacks } = listsOf(description);
  const lists = {
    partition: Object.keys(partitions),
    strategy: Object.keys(strategies),
    attack: Object.keys(attacks),
    seed: seeds,
  };
  return unfold<object>({ name: "simulation", of: "study" }, { for: lists }).map(({ variables }) => {
    const cell = variables as unknown as SimulationCell;
    const attack = valueAt(attacks, cell.attack, "attack");
    return {
      cell,
      federation: {
        ...federation,
        partition: valueAt(partitions, cell.partition, "partition"),
        strategy: valueAt(strategies, cell.strategy, "strategy"),
        ...(attack !== null && { attack }),
        seed: cell.seed,
      },
    };
  });
}

/** Returns the value of a key, which must exist, as it was listed among the keys. */
const valueAt = <T>(record: Readonly<Record<string, T>>, key: string, what: string): T =>
  entry(new Map(Object.entries(record)), key, what);
