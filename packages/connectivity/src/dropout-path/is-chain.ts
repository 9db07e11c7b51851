import type { HiddenLayer } from "@isthmus/symmetry/layout";

/**
 * Tells whether each layer is computed from layers before it alone, so that the layers behind any of them can
 * be written a second time; not so with a residual stream, which is written again and again.
 */
export function isChain(layers: readonly HiddenLayer[]): boolean {
  const reads = layers.flatMap((layer, index) => layer.reads.map(({ tensor }) => ({ tensor, index })));
  return layers.every(({ writes }, index) =>
    writes.every((written) => reads.every((read) => read.tensor !== written.tensor || read.index < index)),
  );
}
