import { type Document, isAlias, isMap, isSeq, type Node, type Pair } from "yaml";

/**
 * Finds the position, in the text of a document, of the key that a path ends in, or else of the nearest
 * existing key around it; undefined if not even the first key of the path exists.
 */
export function keyOffset(document: Document, path: readonly PropertyKey[]): number | undefined {
  let node: unknown = document.contents;
  let offset: number | undefined;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    const [place, child] = entryAt(node, step);
    if (child === undefined) break;
    offset = place?.range?.[0] ?? offset;
    node = child;
  }
  return offset;
}

function entryAt(node: unknown, step: PropertyKey): [Node | undefined, unknown] {
  if (isSeq(node)) {
    const item = node.items[Number(step)];
    return [item as Node | undefined, item];
  }
  const pair = isMap(node)
    ? node.items.find(
        ({ key }: Pair) => String((key as { value?: unknown } | null)?.value ?? key) === String(step),
      )
    : undefined;
  // A key without a value is there, too.
  return pair === undefined ? [undefined, undefined] : [pair.key as Node, pair.value ?? null];
}
