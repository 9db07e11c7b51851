import { at, type Checkpoint } from "@isthmus/core";
import { layerOf } from "@isthmus/interpolation";
import type { Treatment } from "../layers/treatment.ts";
import { clipWeightsByLayer, splitClip } from "../privacy/clip-weights.ts";
import { beginPrivacy, isLocal } from "../privacy/privacy-description.ts";
import type { ClientUpdate } from "../updates/client-update.ts";
import type { AggregateOptions } from "./aggregate-options.ts";
import { measureGram } from "./measure-gram.ts";

/**
 * Computes the weights of displacements by tensor for a private round that clips each layer by itself;
 * returns undefined for other rounds. A layer consists of the tensors for which `layerOf` returns the same
 * name.
 * @returns weights by name of the tensor, `[updates]`
 */
export async function layerWeights(
  network: Checkpoint,
  updates: readonly ClientUpdate[],
  {
    treatments,
    resolved: { privacy, privacyState, memory, signal },
  }: {
    readonly treatments: ReadonlyMap<string, Treatment>;
    readonly resolved: Readonly<Required<AggregateOptions>>;
  },
): Promise<ReadonlyMap<string, readonly number[]> | undefined> {
  if (privacy?.by !== "layer" || isLocal(privacy)) return undefined;
  const { clip } = privacyState ?? beginPrivacy(privacy);
  const names = [...treatments].flatMap(([name, treatment]) => (treatment === "share" ? [name] : []));
  const weights = await clipLayers(network, updates, { names, clip, memory, signal });
  return new Map(
    [...weights].map(([name, ofUpdates]) => [name, ofUpdates.map((weight) => weight / privacy.clients)]),
  );
}

/**
 * Computes the factor of each tensor of each update that keeps the norm of every layer within its part of the
 * bound.
 * @param names - names of the tensors that are shared
 * @returns factors by name of the tensor, `[updates]`
 */
export async function clipLayers(
  network: Checkpoint,
  updates: readonly ClientUpdate[],
  options: {
    readonly names: readonly string[];
    readonly clip: number;
    readonly memory: number;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<ReadonlyMap<string, readonly number[]>> {
  const { names, clip, ...rest } = options;
  const layers = [...new Set(names.map(layerOf))].map((layer) =>
    names.filter((name) => layerOf(name) === layer),
  );
  const clips = splitClip(
    clip,
    layers.map(() => 1),
  );
  const norms: number[][] = updates.map(() => []);
  for (const layer of layers) {
    const gram = await measureGram({ network, updates, ...rest, names: layer, onlyNorms: true });
    for (const [i, ofUpdate] of norms.entries()) ofUpdate.push(Math.sqrt(at(gram, i * (updates.length + 1))));
  }
  const weights = clipWeightsByLayer(norms, clips);
  return new Map(
    layers.flatMap((layer, position) =>
      layer.map((name) => [name, weights.map((ofUpdate) => at(ofUpdate, position))] as const),
    ),
  );
}
