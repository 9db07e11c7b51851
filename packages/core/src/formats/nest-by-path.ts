import { PickleDict } from "./torch/pickle/values.ts";

/**
 * Builds the nested state of which leaves were stored one by one, to find weights in it as in files of
 * `torch.save`.
 * @param leaves - each leaf with the keys that lead to it, outermost first
 */
export function nestByPath(leaves: Iterable<readonly [path: readonly unknown[], leaf: unknown]>): PickleDict {
  const root = new PickleDict();
  for (const [keys, leaf] of leaves) {
    let at = root;
    for (const key of keys.slice(0, -1)) {
      const level = at.entries.get(key);
      const next = level instanceof PickleDict ? level : new PickleDict();
      at.entries.set(key, next);
      at = next;
    }
    at.entries.set(keys.at(-1), leaf);
  }
  return root;
}
