import type { LayersDescription } from "../strategy/strategy-description.ts";
import type { Treatment } from "./treatment.ts";

/** The barriers of layers between two clients; every `LayersResult` has them. */
export interface PairBarriers {
  /** Layers by name, with the tensors of each. */
  readonly groups: readonly { readonly name: string; readonly tensors: readonly string[] }[];
  /** Barriers of the layers, each for the group of that name; the loss is in nats for cross-entropy. */
  readonly layers: readonly { readonly group: string; readonly barrier: { readonly loss: number } }[];
}

/**
 * Decides to share the layers that are no barrier between clients: averaging such a layer alone raises the
 * loss of no measured pair of clients by more than a threshold. The other layers are kept with the clients.
 * @param pairs - layers of pairs of clients, as `measureLayers` measures them
 * @param threshold - highest barrier of a layer that is shared, in nats
 * @returns value for `share` of a strategy
 * @see Adilova et al., Layer-wise linear mode connectivity, 2024, section 5
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { shareBelow } from "@isthmus/federated";
 *
 * const groups = ["conv", "fc"].map((name) => ({ name, tensors: [`${name}.weight`] }));
 * const layers = [0.01, 0.7].map((loss, i) => ({ group: ["conv", "fc"][i]!, barrier: { loss } }));
 * const { layers: treatments } = shareBelow([{ groups, layers }], 0.02);
 * assert.deepEqual(treatments, { "conv.weight": "share", "fc.weight": "keep" });
 * ```
 */
export function shareBelow(
  pairs: readonly PairBarriers[],
  threshold: number,
): LayersDescription & { readonly layers: Readonly<Record<string, Treatment>> } {
  const layers: Record<string, Treatment> = {};
  for (const { groups, layers: measured } of pairs) {
    for (const { name, tensors } of groups) {
      const barrier = measured.find(({ group }) => group === name)?.barrier.loss;
      // A layer whose barrier is NaN is kept.
      const isBelow = barrier !== undefined && barrier <= threshold;
      for (const tensor of tensors) layers[tensor] = isBelow && layers[tensor] !== "keep" ? "share" : "keep";
    }
  }
  return { layers };
}
