import type { HiddenLayer } from "@isthmus/symmetry/layout";

/**
 * Tells whether each layer is computed only from layers before it, so that the layers behind any layer can be
 * written a second time. A residual stream is no such chain, as several layers write to it.
 */
export function isChain(layers: readonly HiddenLayer[]): boolean {
  const reads = layers.flatMap((layer, index) => layer.reads.map(({ tensor }) => ({ tensor, index })));
  return layers.every(({ writes }, index) =>
    writes.every((written) => reads.every((read) => read.tensor !== written.tensor || read.index < index)),
  );
}
