/** What choosing layers goes by; every `LayersResult` is one. */
export interface ChoosableLayers {
  readonly layers: readonly {
    readonly group: string;
    readonly a: { readonly wholeEndpoints: { readonly loss: number } };
  }[];
}

/**
 * Chooses the layers that can be averaged: those whose barrier, with the others as in A, is at most some height.
 *
 * @param maxBarrier - in nats, of the loss half-way above the mean of both whole networks (`wholeEndpoints` of the cut in A)
 * @returns names of the groups, in the order of the network
 */
export function chooseLayers({ layers }: ChoosableLayers, maxBarrier: number): readonly string[] {
  return layers.filter(({ a }) => a.wholeEndpoints.loss <= maxBarrier).map(({ group }) => group);
}
