import { at, UsageError } from "@isthmus/core";
import { namesOfFiles } from "@isthmus/findings";
import type { ComparisonResult } from "../comparison-result.ts";

/**
 * Makes names of the networks of a comparison for figures and tables, each with its position, so that all
 * names differ. The name of the folder is added to files of the same name.
 */
export function networkNames(result: ComparisonResult): string[] {
  const files = namesOfFiles(result.networks.map(({ source }) => source));
  return files.map((name, index) => {
    const position = shortName(result, index);
    return name === position ? name : `${position}: ${name}`;
  });
}

/** Returns the shortest name of a network: its position, counted from 1, or `base`. */
export function shortName({ base }: ComparisonResult, index: number): string {
  return index === base ? "base" : String(index + 1);
}

/** Returns the shortest name of two networks: `1 and 2`. */
export function pairName(
  result: ComparisonResult,
  { a, b }: { readonly a: number; readonly b: number },
): string {
  return `${shortName(result, a)} and ${shortName(result, b)}`;
}

/** Returns the angle of a cosine, in degrees, from 0 to 180. */
export function angleOf(cosine: number | null): number | null {
  return cosine === null ? null : (Math.acos(Math.min(1, Math.max(-1, cosine))) * 180) / Math.PI;
}

/**
 * Checks that the parts of a comparison belong together.
 * @throws UsageError if there is no pair, or a part refers to a network that the comparison lacks
 */
export function assertComparison(result: ComparisonResult): void {
  const { networks, base, pairs, verdicts, taskVectors, descent, advice } = result;
  if (pairs.length === 0) {
    throw new UsageError("Cannot draw a comparison as at least one pair of networks is needed: got 0");
  }
  if (verdicts.length !== pairs.length) {
    throw new UsageError(
      `Cannot draw a comparison as each of ${pairs.length} pairs needs a verdict: got ${verdicts.length}`,
    );
  }
  const steps = taskVectors === null ? [] : [taskVectors.base, ...taskVectors.networks];
  const concluded = [
    ...(advice?.networks ?? []),
    ...[advice?.base, ...(descent?.parents ?? [])].filter((one) => typeof one === "number"),
    // A tree has a place for each network.
    ...(descent === null ? [] : [descent.parents.length - 1]),
  ];
  const positions = [
    ...pairs.flatMap(({ a, b }) => [a, b]),
    ...(base === null ? [] : [base]),
    ...steps,
    ...concluded,
  ];
  const outside = positions.find((position) => networks[position] === undefined);
  if (outside !== undefined) {
    throw new UsageError(
      `Cannot draw a comparison as its parts must speak of its ${networks.length} networks: one speaks of network ${outside + 1}`,
    );
  }
  if (taskVectors === null) return;
  const count = taskVectors.networks.length;
  const isSquare =
    taskVectors.lengths.length === count &&
    taskVectors.cosines.length === count &&
    taskVectors.cosines.every((row) => row.length === count);
  if (isSquare) return;
  throw new UsageError(
    `Cannot draw a comparison as the steps of ${count} networks need as many lengths and cosines: got ${taskVectors.lengths.length} and ${taskVectors.cosines.length}`,
  );
}

/** Finds the pair of two networks, in either order; undefined if both are the same network. */
export function findPair(
  { pairs }: ComparisonResult,
  one: number,
  two: number,
): ComparisonResult["pairs"][number] | undefined {
  return pairs.find(({ a, b }) => (a === one && b === two) || (a === two && b === one));
}

/** Returns the verdict on a pair at a position. */
export function verdictAt(
  { verdicts }: ComparisonResult,
  index: number,
): ComparisonResult["verdicts"][number] {
  return at(verdicts, index, "verdict");
}
