import { at, createRandom, type Random } from "@isthmus/core";
import type { Alignment } from "../alignment.ts";
import { completeUnits } from "../complete-units.ts";
import type { SymmetrySpec } from "../spec.ts";

/** Options of {@link trialAlignments}. */
export interface TrialOptions {
  /** Seed of the shuffles. */
  readonly seed: number;
  /** Number of alignments after the first in which every cell is shuffled. */
  readonly shuffles: number;
  /** Name of the only symmetry that moves. @defaultValue all symmetries move */
  readonly only?: string | undefined;
}

/**
 * Most units of a cell that may well move like another cell by chance: a cell of 2 units has one way to move
 * every unit, a cell of 3 units has two.
 */
const TINY = 3;

/**
 * Creates alignments that together reveal mistakes of a specification.
 *
 * 1. The first moves every unit of every cell, in one cycle, so that units that are not alike do not stay in
 *    their places by chance.
 * 2. Some shuffle every cell, as a cycle may keep groups of units together that only move in groups.
 * 3. For every two cells of up to three units, some alignment moves one and leaves the other, as they might
 *    be symmetries only together. This needs as many alignments as numbers of these cells have binary digits;
 *    none for most networks.
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

/** Draws a random permutation that is a single cycle. */
function cycle(size: number, random: Random): Int32Array {
  const path = random.shuffleInPlace(inPlace(size));
  const order = new Int32Array(size);
  path.forEach((unit, i) => {
    order[unit] = at(path, (i + 1) % size, "unit");
  });
  return order;
}

/** Draws a random permutation that moves something. */
function shuffle(size: number, random: Random): Int32Array {
  const order = random.shuffleInPlace(inPlace(size));
  return order.some((unit, i) => unit !== i) ? order : cycle(size, random);
}
