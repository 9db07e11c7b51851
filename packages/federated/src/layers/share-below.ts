import type { LayersDescription } from "../strategy/strategy-description.ts";
import type { Treatment } from "./treatments.ts";

/** The barriers of layers between two clients; every `LayersResult` has them. */
export interface PairBarriers {
  readonly groups: readonly { readonly name: string; readonly tensors: readonly string[] }[];
  readonly layers: readonly { readonly group: string; readonly barrier: { readonly loss: number } }[];
}

/**
 * Decides to share the layers that stand between no two clients: averaging one alone raises the loss of
 * every pair that was measured by no more than a threshold. The others are kept with the clients.
 * @param pairs - layers of pairs of clients, as `measureLayers` measures them
 * @param threshold - highest barrier of a layer that is shared, in nats
 * @returns what to write in a strategy as `share`
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
      // A barrier that is not a number is none that a layer may be shared below.
      const isBelow = barrier !== undefined && barrier <= threshold;
      for (const tensor of tensors) layers[tensor] = isBelow && layers[tensor] !== "keep" ? "share" : "keep";
    }
  }
  return { layers };
}
