import { type Checkpoint, createRandom, entry, OutOfRangeError, type Tensor } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import {
  chooseTrainOptions,
  fingerprintMasks,
  type Reparameterization,
  stepsUntil,
  TRAIN_DEFAULTS,
  type TrainedCoordinates,
  type TrainReparameterizedOptions,
  trainReparameterized,
} from "@isthmus/training";
import { applyMasks, type Masks } from "../masks/masks.ts";

/** Options of the fading of weights that will be pruned. */
export interface AnnealingOptions {
  /**
   * Probability with which each fading weight is present in the first step, in `[0, 1]`.
   * @defaultValue 0.5
   */
  readonly initial?: number;
  /** Share of the steps after which no fading weight is present any more, in `(0, 1]`. @defaultValue 0.75 */
  readonly end?: number;
}

/** Defaults of {@link AnnealingOptions}. */
const ANNEALING_DEFAULTS: Required<AnnealingOptions> = { initial: 0.5, end: 0.75 };

const ATTEMPT = "anneal masks";

/**
 * Trains a network while the weights that masks prune fade out: in every step each of them is present with a
 * probability that falls to 0 along half a cosine, drawn anew for every step, and once it is 0 the masks are
 * hard. A weight that is absent in a step has no gradient, and keeps its value for the steps in which it is
 * present.
 *
 * Temperature annealing of Whitaker and Whitley, Stochastic subnetwork annealing: a regularization technique
 * for fine tuning pruned subnetworks (2024). Weight decay acts on the change since the start. The present
 * weights depend only on the seed and the step, so that a training that resumes ends with the same bytes.
 * @throws InputError if the network lacks a masked weight
 * @throws OutOfRangeError if a mask and its weight have different numbers of elements, or an option is out of
 *   its range
 * @throws UsageError if the optimiser is sharpness-aware; else as `train`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, openDataSet, parseNetwork, pruneNetwork, trainAnnealed } from "isthmus";
 *
 * const data = await openDataSet("mnist:test@200");
 * const { graph, initialize } = parseNetwork("mlp:8", data);
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 * const weights = initialize(0);
 * const { masks } = await pruneNetwork(architecture, weights, { sparsity: 0.5 });
 * const tuned = await trainAnnealed(architecture, { weights, masks }, data, { seed: 0, epochs: 2 });
 * const [[name, mask] = ["", new Uint8Array()]] = masks;
 * const { data: values } = await tuned.weights.read(name);
 * assert(mask.every((stays, i) => stays === 1 || values[i] === 0));
 * ```
 */
export async function trainAnnealed(
  architecture: Architecture,
  { weights, masks }: { readonly weights: Checkpoint; readonly masks: Masks },
  data: DataSet,
  { annealing = {}, ...options }: TrainReparameterizedOptions & { readonly annealing?: AnnealingOptions },
): Promise<TrainedCoordinates> {
  const rules = resolveAnnealing(annealing);
  await applyMasks(weights, masks); // checks that they fit
  const { batch } = chooseTrainOptions({ graph: architecture.graph, data }, options);
  const { epochs, remainder } = { ...TRAIN_DEFAULTS, ...options };
  const steps = stepsUntil(epochs, { examples: data.size, batch, remainder });
  const trained = await trainReparameterized(
    architecture,
    {
      start: weights,
      reparameterize: (start) => fadeOut(start, masks, { ...rules, steps, seed: options.seed }),
    },
    data,
    options,
  );
  // Frozen weights do not fade during the training, so that masks are applied to all weights at the end.
  return { ...trained, weights: await applyMasks(trained.weights, masks) };
}

/** Returns the probability with which a fading weight is present in a step. */
export function fadingProbability(
  step: number,
  { initial, end, steps }: Required<AnnealingOptions> & { readonly steps: number },
): number {
  const progress = steps === 0 ? 1 : Math.min(1, step / (end * steps));
  return (initial * (1 + Math.cos(Math.PI * progress))) / 2;
}

function resolveAnnealing(annealing: AnnealingOptions): Required<AnnealingOptions> {
  const { initial, end } = { ...ANNEALING_DEFAULTS, ...annealing };
  if (!(initial >= 0 && initial <= 1)) {
    throw new OutOfRangeError(`Cannot ${ATTEMPT} as "initial" must be from 0 to 1: it is ${initial}`);
  }
  if (!(end > 0 && end <= 1)) {
    throw new OutOfRangeError(`Cannot ${ATTEMPT} as "end" must be more than 0 and at most 1: it is ${end}`);
  }
  return { initial, end };
}

/** Makes the map from changes of weights to the weights of a step, where absent ones are 0. */
function fadeOut(
  start: ReadonlyMap<string, Tensor>,
  masks: Masks,
  rules: Required<AnnealingOptions> & { readonly steps: number; readonly seed: number },
): Reparameterization {
  let dimension = 0;
  const parts = [...start].map(([name, tensor]) => {
    const { length } = tensor.data;
    const begin = dimension;
    dimension += length;
    const mask = masks.get(name);
    return { name, begin, values: tensor.data.slice() as Float32Array, mask, there: new Uint8Array(length) };
  });
  return {
    dimension,
    description: { annealing: { ...rules, masks: fingerprintMasks(masks) } },
    placeInto(changes, parameters, step) {
      const probability = fadingProbability(step, rules);
      const random = createRandom(rules.seed, `masks of step ${step}`);
      for (const { name, begin, values, mask, there } of parts) {
        const out = entry(parameters, name, "parameter").data as Float32Array;
        for (let i = 0; i < out.length; i++) {
          there[i] = mask?.[i] !== 0 || (probability > 0 && random.uniform() < probability) ? 1 : 0;
          out[i] = there[i] === 1 ? (values[i] as number) + (changes[begin + i] as number) : 0;
        }
      }
    },
    pullBackInto(gradients, out) {
      for (const { name, begin, there } of parts) {
        const gradient = entry(gradients, name, "gradient").data as Float32Array;
        for (let i = 0; i < there.length; i++) out[begin + i] = there[i] === 1 ? (gradient[i] as number) : 0;
      }
    },
  };
}
