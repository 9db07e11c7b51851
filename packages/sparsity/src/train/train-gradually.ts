import type { Checkpoint } from "@isthmus/core";
import { entry, OutOfRangeError, resolveOptions, type Tensor } from "@isthmus/core";
import { type Architecture, assertNetwork, type DataSet, type Graph } from "@isthmus/graph";
import { type FinishedStep, type TrainOptions, train, type WeightConstraint } from "@isthmus/training";
import { chooseByLayer, chooseGlobally } from "../masks/choose-masks.ts";
import { maskInPlace } from "../masks/masks.ts";
import { prunableWeights } from "../masks/prunable-weights.ts";
import { type PrunedNetwork, pruneNetwork } from "../prune-network.ts";
import { assertSparsity } from "../prune-options.ts";

/** Options of the rise of sparsity along a training. */
export interface GradualOptions {
  /** Share of the weights that is pruned at the end, in `[0, 1)`. */
  readonly sparsity: number;
  /** Share of the weights that is pruned when pruning begins. @defaultValue 0 */
  readonly initialSparsity?: number;
  /** Share of the steps after which pruning begins, in `[0, 1)`. @defaultValue 0 */
  readonly begin?: number;
  /** Share of the steps after which the last weights are pruned, above `begin`. @defaultValue 0.75 */
  readonly end?: number;
  /** Number of steps between two choices of pruned weights. @defaultValue 100 */
  readonly every?: number;
  /**
   * Way to choose elements: by comparing all weights together, or the weights of each layer.
   * @defaultValue "global"
   */
  readonly by?: "global" | "layer";
  /**
   * Names of the weights, in which `*` matches any characters.
   * @defaultValue all weights of two or more axes
   */
  readonly layers?: readonly string[] | undefined;
}

/** Defaults of {@link GradualOptions}; the sparsity has no default. */
export const GRADUAL_DEFAULTS: Required<Omit<GradualOptions, "sparsity">> = {
  initialSparsity: 0,
  begin: 0,
  end: 0.75,
  every: 100,
  by: "global",
  layers: undefined,
};

const ATTEMPT = "prune gradually";

/**
 * Trains a network while more and more of its weights are pruned: after every `every` steps the weights of
 * least magnitude become zero, and stay zero. Sparsity rises fast at first and slowly at the end, by the
 * cubic schedule of Zhu and Gupta, To prune, or not to prune (2017).
 *
 * Pruned weights are recognised by their value of zero, so that a training that resumes ends with the same
 * bytes. A weight that becomes zero by training stays zero, too, once pruning has begun.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, openDataSet, parseNetwork, trainGradually } from "isthmus";
 *
 * const data = await openDataSet("mnist:test@200");
 * const { graph, initialize } = parseNetwork("mlp:8", data);
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 * const options = { seed: 0, epochs: 4, batch: 20, gradual: { sparsity: 0.8, every: 5 } };
 * const { result } = await trainGradually(architecture, initialize(0), data, options);
 * assert(Math.abs(result.sparsity - 0.8) < 1e-3);
 * ```
 *
 * @throws OutOfRangeError if a share is not in `[0, 1)`, or pruning would end before it begins; else
 *   as `train`
 */
export async function trainGradually(
  architecture: Architecture,
  network: Checkpoint,
  data: DataSet,
  { gradual, ...options }: Omit<TrainOptions, "constraint"> & { readonly gradual: GradualOptions },
): Promise<PrunedNetwork> {
  const { graph } = architecture;
  assertNetwork(graph, network);
  const rules = resolveGradual(gradual);
  const constraint = pruneOnTheWay(graph, rules);
  const { weights } = await train(architecture, network, data, { ...options, constraint });
  const { sparsity, by, layers } = rules;
  // The weights that are zero already are chosen; after a training of no epochs, all are chosen here.
  return pruneNetwork({ graph }, weights, { sparsity, by, layers });
}

/** Returns the share that is pruned after a step: `final + (initial - final) (1 - progress)³`. */
export function gradualSparsity(
  { finished, steps }: FinishedStep,
  { sparsity, initialSparsity, begin, end }: Required<GradualOptions>,
): number {
  const progress = (finished / steps - begin) / (end - begin);
  if (progress < 0) return 0;
  return sparsity + (initialSparsity - sparsity) * (1 - Math.min(1, progress)) ** 3;
}

function resolveGradual(gradual: GradualOptions): Required<GradualOptions> {
  const rules = resolveOptions(ATTEMPT, { ...GRADUAL_DEFAULTS, sparsity: Number.NaN }, gradual);
  const { sparsity, initialSparsity, begin, end, every } = rules;
  for (const [name, share] of Object.entries({ sparsity, initialSparsity, begin }))
    assertSparsity(ATTEMPT, name, share);
  if (!(end > begin && end <= 1)) {
    throw new OutOfRangeError(
      `Cannot ${ATTEMPT} as "end" must be more than ${begin} and at most 1: it is ${end}`,
    );
  }
  if (!(initialSparsity <= sparsity)) {
    throw new OutOfRangeError(
      `Cannot ${ATTEMPT} as "initialSparsity" must be at most "sparsity", ${sparsity}: it is ${initialSparsity}`,
    );
  }
  if (!(Number.isInteger(every) && every >= 1)) {
    throw new OutOfRangeError(`Cannot ${ATTEMPT} as "every" must be a whole number from 1: it is ${every}`);
  }
  return rules;
}

function pruneOnTheWay(graph: Graph, rules: Required<GradualOptions>): WeightConstraint {
  const names = prunableWeights(ATTEMPT, graph, rules.layers);
  return {
    description: { gradual: { ...rules, layers: names.join(", ") } },
    applyInPlace: (step, before, after) => {
      const weights = new Map(
        names.filter((name) => after.has(name)).map((name) => [name, entry(after, name, "weight")] as const),
      );
      const sparsity = gradualSparsity(step, rules);
      if (sparsity === 0) return;
      for (const [name, tensor] of weights) keepZerosInPlace(entry(before, name, "weight"), tensor);
      const isLast = step.finished === step.steps;
      if (!isLast && step.finished % rules.every !== 0) return;
      const masks =
        rules.by === "global"
          ? chooseGlobally(weights, sparsity)
          : chooseByLayer(weights, new Map([...weights.keys()].map((name) => [name, sparsity])));
      for (const [name, mask] of masks) maskInPlace(name, entry(weights, name, "weight"), mask);
    },
  };
}

function keepZerosInPlace({ data: before }: Tensor, { data: after }: Tensor): void {
  const values = after as Float32Array;
  for (let i = 0; i < values.length; i++) if (before[i] === 0) values[i] = 0;
}
