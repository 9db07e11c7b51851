import { basename } from "node:path";

/** Tells whether a path is that of an index of shards. */
export function isIndex(path: string): boolean {
  return path.endsWith(".index.json");
}

/** Tells whether a path is that of a numbered shard. */
export function isShard(path: string): boolean {
  return setOf(path) !== undefined;
}

/**
 * Sorts the files of earlier checkpoints such that, removed one after another, what is left at any moment
 * either is what was opened before or is refused: a file without a number, which the index hides; the index;
 * one shard of each set, so that none is whole any more; the others.
 */
export function removalOrder(paths: readonly string[]): readonly string[] {
  const broken = new Set<string>();
  const rank = (path: string): number => {
    const set = setOf(path);
    if (set === undefined) return isIndex(path) ? 1 : 0;
    if (broken.has(set)) return 3;
    broken.add(set);
    return 2;
  };
  const ranked = paths.map((path) => ({ path, rank: rank(path) }));
  return ranked.sort((a, b) => a.rank - b.rank).map(({ path }) => path);
}

/** Gives what the names of the shards of one set have in common; undefined for other files. */
function setOf(path: string): string | undefined {
  const [, stem, total] = /^(.*)-\d+-of-(\d+)\.safetensors$/.exec(basename(path)) ?? [];
  return stem === undefined ? undefined : `${stem} of ${total}`;
}
