import type { NetworkPair } from "@isthmus/findings";

/**
 * Smallest number of products of a weight and a number in a task, if there are enough pairs: some seconds of
 * work.
 */
const TASK_WORK = 5e10;
/** Number of parts that the pairs of many networks are cut into, whatever the number of workers. */
const PARTS = 32;

/**
 * Joins pairs that follow each other until a task takes some seconds. The grouping does not depend on which
 * pairs are missing, so that a measurement that goes on finds its earlier tasks.
 * @param networks - number of all networks
 * @param work - products of a weight and a number that one pair takes
 * @returns positions in the list of pairs
 */
export function groupPairs(
  pairs: readonly NetworkPair[],
  networks: number,
  work: number,
): readonly number[][] {
  const most = Math.ceil((networks * (networks - 1)) / 2 / PARTS);
  const pairsOfTask = Math.min(most, Math.max(1, Math.ceil(TASK_WORK / work)));
  const groups = new Map<number, number[]>();
  for (const [position, [a, b]] of pairs.entries()) {
    const rank = a * networks - (a * (a + 1)) / 2 + (b - a - 1);
    const group = Math.floor(rank / pairsOfTask);
    const positions = groups.get(group);
    if (positions === undefined) groups.set(group, [position]);
    else positions.push(position);
  }
  return [...groups.values()];
}
