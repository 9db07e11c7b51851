import { basename } from "@isthmus/platform";

/** Checks whether a path belongs to an index of shards, or to the manifest of a LayersModel. */
export function isIndex(path: string): boolean {
  return path.endsWith(".json");
}

/** Checks whether a path belongs to a numbered shard. */
export function isShard(path: string): boolean {
  return setOf(path) !== undefined;
}

/**
 * Sorts the files of earlier checkpoints such that, while they are removed one after another, opening the
 * rest yields the checkpoint that was opened before, or an error. Files without a number, which the index
 * hides, come first; then the index; then one shard of each set, so that no set is complete; then all other
 * shards.
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

/** Returns a name of the set that a shard belongs to; undefined for other files. */
function setOf(path: string): string | undefined {
  const name = basename(path);
  const [, stem, total] =
    /^(.*)-\d+-of-(\d+\.(?:safetensors|gguf))$/.exec(name) ??
    /^(.*group\d+)-shard\d+of(\d+)\.bin$/.exec(name) ??
    [];
  return stem === undefined ? undefined : `${stem} of ${total}`;
}
