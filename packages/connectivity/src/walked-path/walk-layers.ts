import { bindNetwork } from "@isthmus/barrier";
import { at, type Checkpoint, resolveFields } from "@isthmus/core";
import { type Architecture, type DataSet, fingerprintWeights } from "@isthmus/graph";
import { rm } from "@isthmus/platform";
import { chooseTrainOptions, stepsUntil, TRAIN_DEFAULTS, train } from "@isthmus/training";
import { createWalk, layersThatWalk, placeAfter, placesOf, stepsOf, type WalkPlan } from "./plan-walk.ts";
import { WALK_FIELDS, type WalkChoice, type WalkLayersOptions } from "./walk-options.ts";

const ATTEMPT = "walk from one network to another";

const RUN_DEFAULTS: Required<Omit<WalkLayersOptions, keyof WalkChoice>> = {
  threads: TRAIN_DEFAULTS.threads,
  signal: undefined,
  statePath: undefined,
  onPoint: undefined,
  onProgress: undefined,
};

/**
 * Walks from one network to another layer by layer: each layer, in the order in which data flow, moves to its
 * target in small steps that keep its variance; between two moves the layers behind it are trained, while the
 * layer itself and the layers in front of it are held (LLPF, 2026). The walk ends at the second network
 * itself. Layers need not be wide, and the method applies to residual networks and transformers as well.
 *
 * Unlike in the authors' code, the layer that walks is not trained, so that it arrives after a known number
 * of moves, and biases move as its other weights do.
 * @param data - examples for training
 * @returns the names of the layers, in the order in which they walk, and the number of steps of training
 * @throws UnsupportedError if a parameter is not f32, or an operator has no gradient rule
 * @throws MismatchError if a network does not fit the graph, or the state is of another walk
 * @throws OutOfRangeError if an option is out of range
 * @throws InputError, FormatError, DivergenceError, EngineError, DOMException as `train`
 * @see LLPF, ICML 2026, arXiv:2505.02604
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, openDataSet, parseNetwork, walkLayers } from "isthmus";
 *
 * const data = await openDataSet("mnist:test@200");
 * const { graph, initialize } = parseNetwork("mlp:8", data);
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 *
 * const ends = [initialize(0), initialize(1)] as const; // trained ones, as a rule
 * const seen: string[] = [];
 * const { layers, steps } = await walkLayers(architecture, ends, data, {
 *   moves: 2,
 *   trainSteps: 3,
 *   onPoint: async ({ layer, move, phase }) => void seen.push(`${layer} ${move} ${phase}`),
 * });
 * assert.deepEqual([layers, steps], [["layers.0", "layers.1"], 8]);
 * assert.deepEqual(seen.slice(0, 3), ["0 0 trained", "0 1 moved", "0 1 trained"]);
 * ```
 */
export async function walkLayers(
  architecture: Architecture,
  [a, b]: readonly [Checkpoint, Checkpoint],
  data: DataSet,
  options: WalkLayersOptions = {},
): Promise<{ readonly layers: readonly string[]; readonly steps: number }> {
  const { graph } = architecture;
  const resolved = resolveFields(ATTEMPT, WALK_FIELDS, options, RUN_DEFAULTS);
  const { moves, trainSteps, learningRate, seed, optimizer, threads, signal, statePath } = resolved;
  const [start, target] = [await bindNetwork(graph, a), await bindNetwork(graph, b)];
  const plan: WalkPlan = { layers: layersThatWalk(ATTEMPT, graph), moves, trainSteps };
  const steps = stepsOf(plan);
  const { batch, loss } = chooseTrainOptions(
    { graph, data },
    { batch: resolved.batch, loss: resolved.loss, optimizer },
  );
  const walk = await createWalk(graph, target, plan);
  const constraint = {
    ...walk,
    description: { ...walk.description, to: await fingerprintWeights(graph, target) },
  };
  // A training has whole epochs: this one is stopped once the last layer has arrived.
  const end = new AbortController();
  const training = {
    seed,
    batch,
    loss,
    optimizer,
    threads,
    constraint,
    epochs: epochsFor(steps, { examples: data.size, batch }),
    schedule: { kind: "constant", learningRate } as const,
    signal: signal === undefined ? end.signal : AbortSignal.any([signal, end.signal]),
    onProgress: ({ step }: { readonly step: number }) => {
      const { layer } = placeAfter(plan, Math.min(step, steps)) ?? { layer: 0 };
      const { name } = at(plan.layers, layer, "layer");
      resolved.onProgress?.({ done: Math.min(1, step / steps), layer: name });
    },
    collect: {
      steps: [...placesOf(plan).map(({ step }) => step), steps],
      async take(step: number, network: Checkpoint) {
        const place = placeAfter(plan, step);
        if (step === steps) end.abort();
        else if (place !== undefined) await resolved.onPoint?.({ ...place, network });
      },
    },
    ...(statePath === undefined ? {} : { statePath, resume: true, saveEvery: trainSteps }),
  };
  await train(architecture, start, data, training).catch((error: unknown) => {
    if (!end.signal.aborted || signal?.aborted) throw error;
  });
  if (statePath !== undefined) await rm(statePath, { force: true });
  return { layers: plan.layers.map(({ name }) => name), steps };
}

/** Returns the least number of epochs with at least as many steps as the walk. */
function epochsFor(
  steps: number,
  { examples, batch }: { readonly examples: number; readonly batch: number },
): number {
  const sizes = { examples, batch, remainder: TRAIN_DEFAULTS.remainder };
  let epochs = Math.max(1, Math.floor((steps * batch) / examples));
  while (stepsUntil(epochs, sizes) < steps) epochs += 1;
  return epochs;
}
