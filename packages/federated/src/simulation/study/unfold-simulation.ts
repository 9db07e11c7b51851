import { InputError } from "@isthmus/core";
import { unfold } from "@isthmus/study";
import type { FederationDescription } from "../description/federation-description.ts";
import type { SimulationCell, SimulationDescription } from "../description/simulation-description.ts";
import { findSeedsProblem } from "./seeds.ts";

/** One federation of a simulation. */
export interface UnfoldedFederation {
  readonly cell: SimulationCell;
  readonly federation: FederationDescription;
}

/** Name of what is there where a simulation lists none. */
export const UNNAMED = { partition: "iid", strategy: "fedavg", attack: "none" } as const;

/**
 * Lists the federations of a simulation: partitions, strategies, attacks and seeds in all combinations, the
 * last changing fastest.
 * @throws InputError if there are none, or seeds are none
 */
export function unfoldSimulation({
  federation,
  partitions = { [UNNAMED.partition]: { name: "iid" } },
  strategies = { [UNNAMED.strategy]: {} },
  attacks = { [UNNAMED.attack]: null },
  seeds = [0],
}: SimulationDescription): readonly UnfoldedFederation[] {
  const problem = findSeedsProblem(seeds);
  if (problem !== undefined) {
    throw new InputError(`Cannot simulate as "seeds" ${problem}`, { input: "seeds" });
  }
  const lists = {
    ...{ partition: Object.keys(partitions), strategy: Object.keys(strategies) },
    ...{ attack: Object.keys(attacks), seed: seeds },
  };
  return unfold<object>("simulation", { for: lists }).map(({ variables }) => {
    const cell = variables as unknown as SimulationCell;
    const attack = attacks[cell.attack] ?? undefined;
    return {
      cell,
      federation: {
        ...federation,
        partition: partitions[cell.partition] ?? { name: "iid" },
        strategy: strategies[cell.strategy] ?? {},
        ...(attack !== undefined && { attack }),
        seed: cell.seed,
      },
    };
  });
}
