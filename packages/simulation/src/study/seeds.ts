import { excerpt } from "@isthmus/core";

/** Largest number of seeds of a range: a typing error must not fill the memory. */
const MOST_SEEDS = 100_000;
const RANGE = /^(\d+)\.\.(\d+)$/;

/**
 * Says what is wrong with the seeds of a simulation, as words that follow "seeds"; returns undefined if the
 * seeds are valid.
 */
export function findSeedsProblem(seeds: unknown): string | undefined {
  if (typeof seeds === "string") return findRangeProblem(seeds);
  const areSeeds =
    Array.isArray(seeds) &&
    seeds.length > 0 &&
    seeds.every((seed) => Number.isSafeInteger(seed) && seed >= 0);
  if (areSeeds && new Set(seeds).size === seeds.length) return undefined;
  return `must be different whole numbers of at least 0, as [0, 1] or 0..4: they are ${excerpt(seeds)}`;
}

function findRangeProblem(range: string): string | undefined {
  const [, first, last] = RANGE.exec(range) ?? [];
  const count = Number(last) - Number(first) + 1;
  if (count >= 1 && count <= MOST_SEEDS) return undefined;
  return `must be a range FIRST..LAST of whole numbers, the smaller first, as 0..4: they are ${excerpt(range)}`;
}
