import type { Numbers } from "../number-blocks.ts";

/** Sums of sizes from which a factor is computed that gives the changes of one network their size back. */
export interface ElectedSizes {
  /** Sum of the sizes of the network's own changes. */
  own: number;
  /** Sum of the sizes of the changes that all networks share, where the network agrees with them. */
  shared: number;
}

/**
 * Finds the change of one element that all networks share: the largest of the changes whose sign the sum of
 * all changes has. A sum of 0 counts as negative.
 * @param changes - changes of each network
 */
function electChange(changes: readonly Numbers[], i: number): number {
  let sum = 0;
  for (let k = 0; k < changes.length; k++) sum += changes[k]![i]!;
  if (Number.isNaN(sum)) return sum;
  const sign = sum > 0 ? 1 : -1;
  let largest = 0;
  for (let k = 0; k < changes.length; k++) largest = Math.max(largest, sign * changes[k]![i]!);
  return sign * largest;
}

/** Adds the sizes of one network's changes, and of the shared changes with which it agrees, to sums. */
export function addElectedSizes(changes: readonly Numbers[], task: number, sizes: ElectedSizes): void {
  const ofTask = changes[task]!;
  for (let i = 0; i < ofTask.length; i++) {
    const shared = electChange(changes, i);
    sizes.own += Math.abs(ofTask[i]!);
    if (shared * ofTask[i]! > 0) sizes.shared += Math.abs(shared);
  }
}

/**
 * Adds the shared changes, times a factor, to the elements of a base with which one network agrees. Other
 * elements do not change.
 */
export function addElected(
  base: Numbers,
  changes: readonly Numbers[],
  { task, factor }: { readonly task: number; readonly factor: number },
  out: Numbers,
): void {
  const ofTask = changes[task]!;
  for (let i = 0; i < out.length; i++) {
    const shared = electChange(changes, i);
    if (shared * ofTask[i]! > 0) out[i] = base[i]! + factor * shared;
    else out[i] = Number.isNaN(shared) ? shared : base[i]!;
  }
}
