/** Barriers by which layers are chosen; every `LayersResult` has them. */
export interface ChoosableLayers {
  /** Barriers of the loss, in nats, of each group in the cut whose other groups are as in A. */
  readonly layers: readonly {
    readonly group: string;
    readonly a: { readonly wholeEndpoints: { readonly loss: number } };
  }[];
}

/**
 * Chooses the layers that can be averaged: each has a barrier of at most `maxBarrier` while the other layers
 * are as in A.
 *
 * @param maxBarrier - the largest barrier of the loss, in nats: half-way, above the mean of both whole
 *   networks (`wholeEndpoints` of the cut in A)
 * @returns names of the groups, in the order of the network
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { chooseLayers } from "@isthmus/barrier";
 *
 * const layer = (group: string, loss: number) => ({ group, a: { wholeEndpoints: { loss } } });
 * const result = { layers: [layer("conv1", 0.7), layer("fc", 0.01)] }; // as measureLayers returns them
 * assert.deepEqual(chooseLayers(result, 0.05), ["fc"]);
 * ```
 */
export function chooseLayers({ layers }: ChoosableLayers, maxBarrier: number): readonly string[] {
  return layers.filter(({ a }) => a.wholeEndpoints.loss <= maxBarrier).map(({ group }) => group);
}
