import { createRandom } from "@isthmus/core";

/** Seeded choices: the same seed and label give the same choices on every machine. */
export interface Dice {
  /** A whole number from 0 to `bound - 1`. */
  below(bound: number): number;
  /** True in a share of `chance` of all cases. */
  chance(chance: number): boolean;
  /** One of the items, which must not be empty. */
  pick<T>(items: readonly T[]): T;
  /** Random bytes. */
  bytes(count: number): Buffer;
}

/** Makes the dice of one target of one run. */
export function createDice(seed: number, label: string): Dice {
  const random = createRandom(seed, `fuzz ${label}`);
  const below = (bound: number): number => random.integer(bound);
  return {
    below,
    chance: (chance) => random.uniform() < chance,
    pick<T>(items: readonly T[]): T {
      return items[below(items.length)] as T;
    },
    bytes: (count) => Buffer.from(Array.from({ length: count }, () => below(256))),
  };
}
