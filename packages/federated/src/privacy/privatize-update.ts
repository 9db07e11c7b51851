import {
  allocateData,
  at,
  type Checkpoint,
  createCheckpoint,
  DTYPES,
  fromFloat64Into,
  sizeOf,
  type Tensor,
  type TensorData,
} from "@isthmus/core";
import { clipLayers } from "../aggregate/layer-weights.ts";
import { measureGram } from "../aggregate/measure-gram.ts";
import { cutRanges, readFloat64Range } from "../aggregate/ranges.ts";
import type { Seed } from "../random/derive-key.ts";
import { clipWeights } from "./clip-weights.ts";
import { addGaussianNoiseInPlace } from "./gaussian-noise.ts";
import { assertPrivacy, deviationOf, type PrivacyDescription } from "./privacy-description.ts";

/** Options of {@link privatizeUpdate}. */
export interface PrivatizeUpdateOptions {
  /** Description of the privacy, with `at: clients`. */
  readonly privacy: PrivacyDescription;
  /** Names of the tensors that are sent; other tensors, and integers, stay unchanged. */
  readonly names: readonly string[];
  /** Seed of the noise, which nobody else must know: 32 bytes of `drawSecret` in a real run. */
  readonly seed: Seed;
  /** Number of the round, from 1; each round has other noise. */
  readonly round: number;
  /** Name of the client; each client has other noise. */
  readonly client: string;
}

/** Largest number of bytes of ranges that are held at once. */
const MEMORY = 16 * 2 ** 20;

/**
 * Shortens a client's update to the bound, and adds noise to it, so that it is private by itself, no matter
 * who reads it.
 * @param network - the global network that the client began with
 * @param update - the client's network after its work
 * @throws OutOfRangeError if a number is out of its range
 * @see Duchi et al., Local privacy and statistical minimax rates, 2013; `localDeviation` says how much noise
 */
export async function privatizeUpdate(
  network: Checkpoint,
  update: Checkpoint,
  { privacy, names, seed, round, client }: PrivatizeUpdateOptions,
): Promise<Checkpoint> {
  assertPrivacy(privacy);
  const sent = names.filter((name) => DTYPES[(network.tensors.get(name) ?? { dtype: "i32" }).dtype].float);
  const weights = await weightsOf(network, update, { privacy, names: sent });
  const deviation = deviationOf(privacy, privacy.clip);
  const tensors = new Map<string, Tensor>();
  for (const [name, { dtype, shape }] of update.tensors) {
    const weight = weights.get(name);
    if (weight === undefined) {
      tensors.set(name, await update.read(name));
      continue;
    }
    const data = allocateData(dtype, sizeOf(shape));
    for (const range of cutRanges(update, [name], { memory: MEMORY, arrays: 4 })) {
      const [before, values] = [
        await readFloat64Range(network, range),
        await readFloat64Range(update, range),
      ];
      for (let i = 0; i < values.length; i++) values[i] = weight * (at(values, i) - at(before, i));
      addGaussianNoiseInPlace({ seed, round, tensor: name, client }, range.begin, deviation, values);
      for (let i = 0; i < values.length; i++) values[i] = at(before, i) + at(values, i);
      fromFloat64Into(values, dtype, data.subarray(range.begin, range.end) as TensorData);
    }
    tensors.set(name, { dtype, shape, data } as Tensor);
  }
  return createCheckpoint(tensors, update.metadata, update.source);
}

/** Returns the factor of each tensor that brings the update within the bound. */
async function weightsOf(
  network: Checkpoint,
  update: Checkpoint,
  { privacy: { clip, by }, names }: Pick<PrivatizeUpdateOptions, "privacy" | "names">,
): Promise<ReadonlyMap<string, number>> {
  const updates = [{ client: "", examples: 1, network: update }];
  if (by === "layer") {
    const layers = await clipLayers(network, updates, { names, clip, memory: MEMORY });
    return new Map([...layers].map(([name, weights]) => [name, at(weights, 0)]));
  }
  const gram = await measureGram({ network, updates, names, memory: MEMORY, onlyNorms: true });
  const weight = at(clipWeights([Math.sqrt(at(gram, 0))], clip), 0);
  return new Map(names.map((name) => [name, weight]));
}
