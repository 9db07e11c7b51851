import { at, createRandom, OutOfRangeError, sizeOf } from "@isthmus/core";
import type { Alignment } from "@isthmus/symmetry";
import { layoutComponents } from "@isthmus/symmetry/layout";
import { createPlacementExpander, placementOf } from "../coordinate-descent/placement.ts";
import { journaled, type ManyMatching } from "./many-matching.ts";
import { matchInRounds } from "./match-in-rounds.ts";
import { createPanelSums } from "./universe/panel-sums.ts";
import { type Polishing, polishUniverse } from "./universe/polish-universe.ts";
import { relaxUniverse } from "./universe/relax-universe.ts";
import { Universe } from "./universe/universe.ts";

/** Rounds over all networks after which polishing is given up. */
const MAX_ROUNDS = 100;

/**
 * Number of threads for products. A second thread takes twice the time of the processor if other work shares
 * the machine, as it waits for every product anew. So results do not depend on the number of cores, either.
 */
const THREADS = 1;

/** A universe that was searched for. */
export interface SearchedUniverse extends Polishing {
  /** Alignments, one for each network, which permute it into the universe. */
  readonly universe: Alignment[];
  /** Steps of the relaxation; 0 without one. */
  readonly steps: number;
}

/**
 * Finds places for all networks at once by relaxation, and polishes them.
 * @param start - number of the random start, from 0
 * @throws OutOfRangeError if the universe does not fit the memory
 */
export async function searchByRelaxation(matching: ManyMatching, start: number): Promise<SearchedUniverse> {
  assertFits(matching);
  return searchIn(matching, start === 0 ? "cycle" : `cycle ${start}`, undefined);
}

/** Moves networks from their present places until none can be matched better to the others. */
export async function polish(
  matching: ManyMatching,
  key: string,
  start: readonly Alignment[],
): Promise<SearchedUniverse> {
  if (fitsMemory(matching)) return searchIn(matching, `${key} polished`, start);
  const universe = start.slice();
  const polishing = await matchInRounds(matching, universe, { maxRounds: MAX_ROUNDS });
  return { universe, steps: 0, ...polishing };
}

/** Searches in memory: from a start, or by relaxation without one. */
async function searchIn(
  matching: ManyMatching,
  key: string,
  start: readonly Alignment[] | undefined,
): Promise<SearchedUniverse> {
  let ending: Omit<SearchedUniverse, "universe"> = { steps: 0, rounds: 0, status: "converged" };
  const alignments = await journaled(matching, key, async () => {
    const { universe, ...rest } = await searchAfresh(matching, key, start);
    ending = rest;
    return universe;
  });
  return { universe: [...alignments], ...ending };
}

async function searchAfresh(
  matching: ManyMatching,
  key: string,
  start: readonly Alignment[] | undefined,
): Promise<SearchedUniverse> {
  const { spec, engine, networks, held, seed, signal, onProgress } = matching;
  const sums = createPanelSums(engine, THREADS);
  try {
    const universe = await Universe.open(networks, { spec, held, sums });
    const expander = createPlacementExpander(spec);
    let steps = 0;
    if (start === undefined) {
      const random = createRandom(seed, key.replace("cycle", "relax universe"));
      steps = await relaxUniverse(universe, { spec, held, random, signal, onProgress });
    } else {
      universe.networks.forEach((network, i) => {
        network.place(placementOf(spec, at(start, i, "network")));
      });
    }
    const polishing = await polishUniverse(universe, {
      random: createRandom(seed, `polish universe ${key}`),
      maxRounds: MAX_ROUNDS,
      signal,
      onRound: (rounds) => onProgress(1 - 2 ** -rounds),
    });
    const alignments = universe.networks.map(({ placement }) => ({ source: expander.expand(placement) }));
    if (universe.isWhole) return { universe: alignments, steps, ...polishing };
    const further = await matchInRounds(matching, alignments, { maxRounds: MAX_ROUNDS });
    return { universe: alignments, steps, ...further, rounds: polishing.rounds + further.rounds };
  } finally {
    await sums.release();
  }
}

/** Arrays of f32 that a universe keeps of a weight in each network, with one axis that moves and with two. */
const ARRAYS = { one: 3, two: 8 };

/** Arrays of f32, an f64 being two, that it keeps of a weight for all networks. */
const SUMS = { one: 5, two: 7 };

/** Computes the bytes that a universe of networks holds. */
function bytesForUniverse({ spec, networks }: Pick<ManyMatching, "spec" | "networks">): number {
  let elements = 0;
  for (const layout of spec.weights.values()) {
    const axes = layoutComponents(layout).length > 1 ? "two" : "one";
    elements += sizeOf(layout.view) * (ARRAYS[axes] * networks.length + SUMS[axes]);
  }
  for (const { cells, size } of spec.symmetries) {
    elements += (networks.length + 1) * (cells.length * size) ** 2;
  }
  return elements * Float32Array.BYTES_PER_ELEMENT;
}

/** Checks whether a universe of the networks fits the memory that matching may hold. */
export function fitsMemory(matching: ManyMatching): boolean {
  return matching.memory === undefined || bytesForUniverse(matching) <= matching.memory;
}

function assertFits(matching: ManyMatching): void {
  if (fitsMemory(matching)) return;
  const mebibytes = (bytes: number) => Math.ceil(bytes / 2 ** 20);
  throw new OutOfRangeError(
    `Cannot match ${matching.networks.length} networks through a universe as it must fit the memory: it holds ${mebibytes(bytesForUniverse(matching))} MiB of ${mebibytes(matching.memory ?? 0)}; match by a tree, in rounds (merge-many) or to a reference`,
  );
}
