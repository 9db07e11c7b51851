import { at, type Checkpoint, createCheckpoint, createTensor, entry } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";
import {
  type Alignment,
  compose,
  identityAlignment,
  identityMixture,
  type MixingSpace,
  type Mixture,
  permute,
  type SymmetricArchitecture,
} from "@isthmus/symmetry";
import { matchWeights } from "../match-weights.ts";
import { findHeads, matchHeads } from "./match-heads.ts";
import { nearestMatrix } from "./nearest-matrix.ts";
import { type Doubles, mixed, type StreamFrame } from "./stream-frame.ts";
import { streamGrams } from "./stream-grams.ts";
import { weightGrams } from "./weight-grams.ts";

/** Options of {@link alignInClosedForm}. */
export interface ClosedFormOptions {
  readonly seed: number;
  /** Examples that the streams are aligned by. */
  readonly examples: number;
  readonly batchSize: number;
  readonly signal?: AbortSignal | undefined;
}

/** Where closed forms bring network B: first its units are permuted, then its spaces mixed. */
export interface ClosedForm {
  readonly alignment: Alignment;
  readonly mixture: Mixture;
  /** B in the frame, permuted and not yet mixed. */
  readonly permuted: Doubles;
}

/**
 * Aligns B to A without a gradient: the residual streams by activations, then heads, and after them other
 * units, by weights in the frame of the stream; each by one assignment or one polar factor.
 *
 * @see transformers: the order matters. Heads that were rotated first fit noise so well that the stream stays
 *   where it is.
 * @param data - inputs that both networks see; without them streams are aligned by weights
 */
export async function alignInClosedForm(
  architecture: SymmetricArchitecture,
  frame: StreamFrame,
  networks: readonly [Checkpoint, Checkpoint],
  data: DataSet | undefined,
  options: ClosedFormOptions,
): Promise<ClosedForm> {
  const { spec } = architecture.symmetries;
  const { mixing } = frame.symmetries;
  const [a, b] = [await frame.enter(networks[0]), await frame.enter(networks[1])];
  const isStream = mixing.spaces.map((_, index) => mixing.norms.some(({ space }) => space === index));
  const streams =
    data === undefined
      ? weightGrams(frame, [a, b])
      : await streamGrams(architecture, networks, mixing, data, options);
  const mixture = identityMixture(mixing.spaces);
  const turned = await nearest(mixing.spaces, streams, mixture, (index) => at(isStream, index, "space"));
  const inFrame = mixed(frame, b, turned);
  const families = findHeads(spec, frame);
  const heads = matchHeads(spec, frame, families, [a, inFrame]);
  const withHeads = await permuted(architecture, heads, inFrame);
  const units = await matchUnits(architecture, frame, [a, withHeads], options);
  const alignment = compose(units, heads);
  const placed = await permuted(architecture, alignment, b);
  const grams = weightGrams(frame, [a, mixed(frame, placed, turned)]);
  const whole = await nearest(mixing.spaces, grams, turned, (index) => !at(isStream, index, "space"));
  return { alignment, mixture: whole, permuted: placed };
}

/** Replaces the matrices of chosen spaces by the nearest ones of their grams. */
export async function nearest(
  spaces: readonly MixingSpace[],
  grams: readonly Float64Array[],
  before: Mixture,
  isChosen: (index: number) => boolean,
): Promise<Mixture> {
  const matrices: Float64Array[] = [];
  const inverses: Float64Array[] = [];
  for (const [index, { size, group }] of spaces.entries()) {
    const matrix = isChosen(index)
      ? await nearestMatrix(at(grams, index, "space"), size, group)
      : at(before.matrices, index, "space");
    matrices.push(matrix);
    inverses.push(isChosen(index) ? matrix : at(before.inverses, index, "space"));
  }
  return { matrices, inverses };
}

/** Matches what neither is mixed nor carries what is mixed, such as the hidden units of an MLP, by weights. */
async function matchUnits(
  { graph, engine, symmetries }: SymmetricArchitecture,
  frame: StreamFrame,
  [a, b]: readonly [Doubles, Doubles],
  { seed, signal }: ClosedFormOptions,
): Promise<Alignment> {
  const { spec } = symmetries;
  const settled = new Set(frame.symmetries.mixing.spaces.map(({ symmetry }) => symmetry));
  for (const { heads, inner } of findHeads(spec, frame)) {
    for (const { name } of [heads, ...inner]) settled.add(name);
  }
  const skip = [...settled];
  if (spec.symmetries.every(({ name }) => settled.has(name))) return identityAlignment(spec);
  const networks = [a, b].map((network) => toCheckpoint(graph, network, "f32")) as [Checkpoint, Checkpoint];
  const start = identityAlignment(spec);
  const result = await matchWeights({ spec, graph, engine }, networks, {
    ...{ seed, restarts: 1, search: "coordinate-descent", start, signal },
    ...(skip.length === 0 ? {} : { skip }),
  });
  return result.alignment;
}

/** Permutes a network of the frame. */
export async function permuted(
  { graph, symmetries: { spec } }: SymmetricArchitecture,
  alignment: Alignment,
  network: Doubles,
): Promise<Doubles> {
  const moved = permute(alignment, toCheckpoint(graph, network, "f64"), spec);
  const result: Doubles = new Map();
  for (const name of graph.weights.keys()) {
    result.set(name, (await moved.read(name)).data as Float64Array);
  }
  return result;
}

/** Makes a checkpoint of a network of the frame. */
export function toCheckpoint(
  { weights }: SymmetricArchitecture["graph"],
  network: Doubles,
  dtype: "f32" | "f64",
): Checkpoint {
  return createCheckpoint(
    new Map(
      [...weights].map(([name, { shape }]) => {
        const values = entry(network, name, "weight");
        return [name, createTensor(dtype, shape, dtype === "f64" ? values : Float32Array.from(values))];
      }),
    ),
  );
}
