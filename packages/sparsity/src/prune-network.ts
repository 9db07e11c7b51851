import { bindNetwork } from "@isthmus/barrier";
import { type Checkpoint, type Elements, entry, sumOf, UsageError } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import type { Symmetries } from "@isthmus/symmetry";
import { chooseByLayer, chooseGlobally, type Weights } from "./masks/choose-masks.ts";
import { chooseUnitMasks, type UnitMasks } from "./masks/choose-unit-masks.ts";
import { applyMasks, assertNoneEmpty, countPruned, type Masks } from "./masks/masks.ts";
import { prunableWeights, sharesOf } from "./masks/prunable-weights.ts";
import { signalToNoise } from "./masks/signal-to-noise.ts";
import { type PruneOptions, type ResolvedPruneOptions, resolvePruneOptions } from "./prune-options.ts";
import type { PruneResult } from "./prune-result.ts";

const ATTEMPT = "prune";

/** Graph, with its symmetries if whole units are pruned. */
export interface PrunedArchitecture {
  /** Graph of the network. */
  readonly graph: Graph;
  /** Symmetries of the graph; needed only if whole units are pruned. */
  readonly symmetries?: Symmetries;
}

/** A pruned network. */
export interface PrunedNetwork {
  /** Weights of the graph, with zeros for pruned elements; in memory. */
  readonly weights: Checkpoint;
  /** Masks of the pruned weights, or of the weights with pruned units. */
  readonly masks: Masks;
  /** Record of the pruning as plain data. */
  readonly result: PruneResult;
}

/**
 * Prunes a network: the elements of least magnitude become zero, among all weights together, or in each
 * weight by the same share or by shares of their own; or whole units of hidden layers are pruned, with all
 * weights that compute and read them.
 *
 * The number of pruned elements (or units of each layer) is the given share of all, rounded to the nearest
 * whole number. Among equal magnitudes the first are pruned, so that pruning a pruned network again does not
 * change it. Biases and parameters of norms stay. Without its pruned units a network computes the same as
 * with zeros for their outputs; but if a layer norm lies between, it reads the biases of the units instead.
 *
 * Choices are invariant to permutations of units, up to ties. Scaling a unit up and its readers down changes
 * magnitudes, and so the choice of `global` and `layer`, unless scales are canonicalised first; the choice of
 * whole units does not change if one number scales a whole layer.
 *
 * Han et al., Learning both weights and connections for efficient neural networks (2015).
 * `torch.nn.utils.prune.global_unstructured` and `l1_unstructured` choose the same elements.
 * @throws MismatchError if the network does not fit the graph
 * @throws InputError if a weight would lose all elements, or there is nothing to prune
 * @throws OutOfRangeError if a share is not in `[0, 1)`, a pattern matches nothing, or a layer would lose all
 *   units
 * @throws UsageError if an option is unknown or does not belong to the choice
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, openArchitecture, openCheckpoint, pruneNetwork } from "isthmus";
 *
 * const architecture = await openArchitecture("examples/mnist-mlp/graph.onnx", createOnnxRuntimeEngine());
 * const network = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
 * const { masks, result } = await pruneNetwork(architecture, network, { sparsity: 0.9 });
 * assert(Math.abs(result.sparsity - 0.9) < 1e-4);
 * assert(result.layers.length === masks.size); // biases are left out
 * await network.close();
 * ```
 */
export async function pruneNetwork(
  { graph, symmetries }: PrunedArchitecture,
  network: Checkpoint,
  options: PruneOptions,
): Promise<PrunedNetwork> {
  const resolved = resolvePruneOptions(ATTEMPT, options);
  const bound = await bindNetwork(graph, network);
  const { masks: chosen, units } =
    resolved.by === "units"
      ? await chooseUnits({ graph, ...(symmetries && { symmetries }) }, bound, resolved)
      : { masks: await chooseMasks(graph, bound, resolved), units: undefined };
  assertNoneEmpty(ATTEMPT, chosen);
  const masks = inOrder(graph, chosen);
  const layers = [...masks].map(([name, mask]) => {
    const pruned = countPruned(mask);
    return { name, elements: mask.length, pruned, sparsity: pruned / mask.length };
  });
  const [elements, pruned] = [sumOf(layers.map((l) => l.elements)), sumOf(layers.map((l) => l.pruned))];
  return {
    weights: await applyMasks(bound, masks),
    masks,
    result: {
      kind: "prune",
      network: network.source,
      by: resolved.by,
      target: resolved.sparsity,
      sparsity: pruned / elements,
      elements,
      pruned,
      layers,
      ...(units && { units }),
      ...(resolved.deviations && { criterion: "signal-to-noise" as const }),
    },
  };
}

async function chooseMasks(
  graph: Graph,
  network: Checkpoint,
  { by, sparsity, shares, layers, deviations }: ResolvedPruneOptions,
): Promise<Masks> {
  const names = prunableWeights(ATTEMPT, graph, layers);
  const read = async (name: string): Promise<readonly [string, Elements]> => {
    const tensor = await network.read(name);
    return [
      name,
      deviations === undefined ? tensor : await signalToNoise(ATTEMPT, { name, tensor }, deviations),
    ];
  };
  const weights: Weights = new Map(await Promise.all(names.map(read)));
  return by === "global"
    ? chooseGlobally(weights, sparsity)
    : chooseByLayer(weights, sharesOf(ATTEMPT, names, { sparsity, shares }));
}

async function chooseUnits(
  { graph, symmetries }: PrunedArchitecture,
  network: Checkpoint,
  options: ResolvedPruneOptions,
): Promise<UnitMasks> {
  if (symmetries !== undefined) return chooseUnitMasks(ATTEMPT, { graph, symmetries }, network, options);
  throw new UsageError(
    `Cannot ${ATTEMPT} by units as the architecture must have symmetries: it has none; call discoverSymmetries() first`,
  );
}

function inOrder(graph: Graph, masks: Masks): Masks {
  const names = [...graph.weights.keys()].filter((name) => masks.has(name));
  return new Map(names.map((name) => [name, entry(masks, name, "mask")]));
}
