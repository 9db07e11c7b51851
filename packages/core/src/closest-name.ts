import { at } from "./invariant.ts";

/** Edits, as a share of the longer name, up to which a name counts as another one misspelt. */
const LARGEST_SHARE = 0.4;

/** Finds the name, among `names`, that a misspelt one most likely means; undefined if none is near. */
export function closestName(name: string, names: readonly string[]): string | undefined {
  const [best] = names
    .map((candidate) => ({ candidate, edits: countEdits(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, edits }) => edits <= LARGEST_SHARE * Math.max(name.length, candidate.length))
    .sort((a, b) => a.edits - b.edits);
  return best?.candidate;
}

/** Counts the characters to insert, remove or replace to turn `a` into `b` (Levenshtein). */
function countEdits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (const [i, left] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, right] of [...b].entries()) {
      const replaced = at(row, j) + (left === right ? 0 : 1);
      next.push(Math.min(replaced, at(row, j + 1) + 1, at(next, j) + 1));
    }
    row = next;
  }
  return at(row, row.length - 1);
}
