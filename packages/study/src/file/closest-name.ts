/** Edits, of a name's length, up to which another counts as the same misspelt. */
const LARGEST_SHARE = 0.4;

/** The known name that a misspelt one most likely stands for; undefined if none is near. */
export function closestName(name: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((each) => ({ each, edits: countEdits(name.toLowerCase(), each.toLowerCase()) }))
    .filter(({ each, edits }) => edits <= LARGEST_SHARE * Math.max(name.length, each.length))
    .sort((a, b) => a.edits - b.edits);
  return best?.each;
}

/** Characters to insert, remove or replace (Levenshtein). */
function countEdits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (const [i, left] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, right] of [...b].entries()) {
      const replaced = (row[j] ?? 0) + (left === right ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
