import { at } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";
import type { MatrixProducts } from "@isthmus/linear-algebra";
import { createRepresentation, type Representation } from "../measures/representation.ts";
import type { PlannedLayer, PlannedNetwork } from "./plan-layers.ts";
import { type VisitRowsOptions, visitRows } from "./visit-rows.ts";

/**
 * Largest number of bytes of samples that are held at once, before the samples of wide layers are replaced by
 * Gram matrices.
 */
const MOST_BYTES = 2 ** 29;

/** Options of {@link holdRepresentations}. */
export interface HoldOptions extends VisitRowsOptions {
  /** Number of samples of each layer, which every array must hold. */
  readonly samples: number;
  /** Functions that multiply matrices, with which the representations compute. */
  readonly products: MatrixProducts;
}

/**
 * Collects the samples of all layers of a network. The network runs once for each group of layers whose
 * samples together fit in the memory limit.
 */
export async function holdRepresentations(
  network: PlannedNetwork,
  data: DataSet,
  { samples, products, onProgress, ...options }: HoldOptions,
): Promise<Representation[]> {
  const representations: Representation[] = [];
  const groups = groupLayers(network.layers, samples);
  for (const [index, layers] of groups.entries()) {
    const held = layers.map(({ columns }) => new Float32Array(samples * columns));
    const ends = layers.map(() => 0);
    const report = onProgress && {
      onProgress: ({ done, completed, total }: Parameters<typeof onProgress>[0]) =>
        onProgress({ done: (index + done) / groups.length, completed, total }),
    };
    await visitRows([{ ...network, layers }], data, { ...options, ...report }, async ([rows = []]) => {
      for (const [i, { data: part }] of rows.entries()) {
        const end = at(ends, i, "layer");
        at(held, i, "layer").set(part, end);
        ends[i] = end + part.length;
      }
    });
    for (const [i, { columns }] of layers.entries()) {
      options.signal?.throwIfAborted();
      const rows = { rows: samples, columns, data: at(held, i, "layer") };
      representations.push(await createRepresentation(rows, products));
      // The samples of a wide layer are freed before the next representation is made.
      held[i] = new Float32Array();
    }
  }
  return representations;
}

function groupLayers(layers: readonly PlannedLayer[], samples: number): PlannedLayer[][] {
  const groups: PlannedLayer[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const layer of layers) {
    const more = samples * layer.columns * Float32Array.BYTES_PER_ELEMENT;
    if (bytes + more > MOST_BYTES) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(layer);
    bytes += more;
  }
  return groups;
}
