import type { HiddenLayer } from "@isthmus/symmetry/layout";

/**
 * Tells whether each layer is computed from layers before it alone, so that the layers behind any of them can
 * be written a second time; not so with a residual stream, which is written again and again.
 */
export function isChain(layers: readonly HiddenLayer[]): boolean {
  const readers = new Map<string, number[]>();
  for (const [index, { reads }] of layers.entries()) {
    for (const { tensor } of reads) readers.set(tensor, [...(readers.get(tensor) ?? []), index]);
  }
  return layers.every(({ writes }, index) =>
    writes.every(({ tensor }) => (readers.get(tensor) ?? []).every((before) => before < index)),
  );
}
