import { at } from "./invariant.ts";

/** Number of edits, as a share of the longer name, up to which a name counts as a misspelling of another. */
const LARGEST_SHARE = 0.4;

/**
 * Finds the name, among `names`, that is most likely meant by a misspelt one; undefined if no name is
 * similar. The first of several equally similar names is returned.
 */
export function closestName(name: string, names: readonly string[]): string | undefined {
  const mostEdits = (candidate: string) => LARGEST_SHARE * Math.max(name.length, candidate.length);
  const [best] = names
    // The difference of lengths is a lower bound of the edits, and cheap even for an untrusted name of a
    // million characters.
    .filter((candidate) => Math.abs(name.length - candidate.length) <= mostEdits(candidate))
    .map((candidate) => ({ candidate, edits: countEdits(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, edits }) => edits <= mostEdits(candidate))
    .sort((a, b) => a.edits - b.edits);
  return best?.candidate;
}

/**
 * Counts the characters to insert, remove, replace or exchange with their neighbour to turn `a` into `b`
 * (optimal string alignment).
 */
function countEdits(a: string, b: string): number {
  let before: readonly number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const edits = [at(row, j) + (a[i] === b[j] ? 0 : 1), at(row, j + 1) + 1, at(next, j) + 1];
      if (i > 0 && j > 0 && a[i] === b[j - 1] && a[i - 1] === b[j]) edits.push(at(before, j - 1) + 1);
      next.push(Math.min(...edits));
    }
    [before, row] = [row, next];
  }
  return at(row, row.length - 1);
}
