import { createRandom, type Random } from "@isthmus/core";
import type { Alignment } from "../alignment.ts";
import { completeUnits } from "../complete-units.ts";
import type { SymmetrySpec } from "../spec.ts";

/** Which alignments to try. */
export interface TrialOptions {
  readonly seed: number;
  /** Tries after the first in which every cell is shuffled. */
  readonly shuffles: number;
  /** Name of the only symmetry that moves; all if not given. */
  readonly only?: string | undefined;
}

/**
 * Units of a cell up to which two cells may well be moved alike by chance: one of 2 units has one way to move, one of 3 two ways
 * to move every unit.
 */
const TINY = 3;

/**
 * Makes alignments that between them show what is wrong with a specification.
 *
 * 1. The first moves every unit of every cell, in one cycle: units that are not alike do not stay in their places by chance.
 * 2. Some shuffle every cell: a cycle may respect units that move in groups.
 * 3. For every two of the cells of up to three units some alignment moves one and leaves the other: they might hold only together.
 *    As many are needed as digits to number these cells; none for most networks.
 */
export function* trialAlignments(
  spec: SymmetrySpec,
  { seed, shuffles, only }: TrialOptions,
): Generator<Alignment> {
  const random = createRandom(seed, "verify");
  const orders = (arrange: (size: number, tiny: number) => Int32Array) => {
    let tiny = 0;
    return completeUnits(spec, ({ name, size }) => {
      const number = size <= TINY ? tiny++ : -1;
      return only !== undefined && name !== only ? inPlace(size) : arrange(size, number);
    });
  };
  yield orders((size) => cycle(size, random));
  for (let k = 0; k < shuffles; k++) yield orders((size) => shuffle(size, random));
  const cells = spec.symmetries.reduce((sum, { size, cells }) => sum + (size <= TINY ? cells.length : 0), 0);
  for (let digit = 1; digit < cells; digit *= 2) {
    yield orders((size, tiny) =>
      tiny >= 0 && Math.floor(tiny / digit) % 2 === 0 ? inPlace(size) : cycle(size, random),
    );
  }
}

function inPlace(size: number): Int32Array {
  return Int32Array.from({ length: size }, (_, i) => i);
}

/** A random permutation that is a single cycle. */
function cycle(size: number, random: Random): Int32Array {
  const path = random.shuffleInPlace(inPlace(size));
  const order = new Int32Array(size);
  path.forEach((unit, i) => {
    order[unit] = path[(i + 1) % size] ?? 0;
  });
  return order;
}

/** A random permutation other than none. */
function shuffle(size: number, random: Random): Int32Array {
  const order = random.shuffleInPlace(inPlace(size));
  return order.some((unit, i) => unit !== i) ? order : cycle(size, random);
}
