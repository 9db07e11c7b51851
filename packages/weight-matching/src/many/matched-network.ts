import {
  asFloat32,
  type Checkpoint,
  createCheckpoint,
  defineCheckpoint,
  entry,
  sizeOf,
  type Tensor,
  type TensorInfo,
} from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import type { SymmetrySpec } from "@isthmus/symmetry";
import { votes } from "../coordinate-descent/alignment-objective.ts";
import { scaleChannels } from "../weights/kernels/scale-channels.ts";
import { assertFinite, assertVoter } from "../weights/read-parameters.ts";
import { normFactors } from "../weights/scale-by-norms.ts";

/** Options for opening a network for matching. */
export interface MatchedNetworkOptions {
  /** The graph, by which weights before batch norms count as the norms scale them; undefined without one. */
  readonly graph: Graph | undefined;
  /** Whether the weights are kept in memory; otherwise they are read whenever they are needed. */
  readonly kept: boolean;
}

/** Returns a specification of the parameters alone that matching compares; its units are the same. */
export function votingSpec(spec: SymmetrySpec): SymmetrySpec {
  return { ...spec, weights: new Map([...spec.weights].filter(([, layout]) => votes(layout))) };
}

/**
 * Returns the part of a network that matching compares, lazily: the parameters that the symmetries move, as
 * f32.
 *
 * @param factors - what the output channels of some weights are multiplied by, by name, see `normFactors`
 * @returns a checkpoint with the source and names of the network; reading a NaN or infinite value throws
 * @throws MismatchError if the network lacks a parameter, or one has another shape
 */
export function viewMatchedNetwork(
  network: Checkpoint,
  spec: SymmetrySpec,
  factors: ReadonlyMap<string, Float64Array> = new Map(),
): Checkpoint {
  const tensors = new Map<string, TensorInfo>();
  for (const [name, layout] of votingSpec(spec).weights) {
    assertVoter(network, name, layout);
    tensors.set(name, { dtype: "f32", shape: layout.shape });
  }
  return defineCheckpoint({
    source: network.source,
    tensors,
    inputs: [network],
    async readInto(name, begin, out) {
      const { dtype, shape } = entry(network.tensors, name, "weight");
      const values = asFloat32(await network.readRange(name, begin, begin + out.length), dtype);
      assertFinite(values, name, network.source);
      const ofChannels = factors.get(name);
      const target = out as Float32Array;
      if (ofChannels === undefined) return target.set(values);
      const perChannel = sizeOf(shape) / ofChannels.length;
      target.set(scaleChannels(values, ofChannels, { begin, perChannel }));
    },
  });
}

/**
 * Opens the part of a network that matching compares: the parameters that the symmetries move, as f32, those
 * before a batch norm as the norm scales them.
 *
 * @returns a checkpoint with the source and names of the network
 * @throws MismatchError if the network lacks a parameter, or one has another shape
 * @throws InputError if a value is NaN or infinite; the parameter is named
 */
export async function openMatchedNetwork(
  network: Checkpoint,
  spec: SymmetrySpec,
  { graph, kept }: MatchedNetworkOptions,
): Promise<Checkpoint> {
  const factors = graph === undefined ? undefined : await normFactors(graph, network);
  const matched = viewMatchedNetwork(network, spec, factors);
  const read = new Map<string, Tensor>();
  // Even if nothing is kept: a NaN in the last network is then named before the first is matched.
  for (const name of matched.tensors.keys()) {
    const tensor = await matched.read(name);
    if (kept) read.set(name, tensor);
  }
  return kept ? createCheckpoint(read, {}, network.source) : matched;
}
