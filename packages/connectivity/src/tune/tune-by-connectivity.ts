import { type Checkpoint, createCheckpoint, OutOfRangeError, resolveFields } from "@isthmus/core";
import {
  type Architecture,
  assertNetwork,
  bindWeights,
  type DataSet,
  fingerprintGraph,
  fingerprintWeights,
  parameterNames,
} from "@isthmus/graph";
import { describeData, openWorkKeeper, type RunDescription } from "@isthmus/training";
import { createMoving } from "./moving-weights.ts";
import { openPulledLoss, type PulledLoss } from "./open-pulled-loss.ts";
import { shuffledExamples } from "./shuffled-examples.ts";
import { runEpochs } from "./tune-epochs.ts";
import { CONNECTIVITY_FIELDS, TUNING_RUN_DEFAULTS, type TuneByConnectivityOptions } from "./tune-options.ts";
import type { TunedByConnectivity } from "./tune-result.ts";
import { TUNING } from "./tune-state.ts";

/** Data with the cue that a network must not use, and clean data without the cue. */
export interface TuningData {
  /** Examples without the cue. */
  readonly clean: DataSet;
  /** Examples with the cue, in at least one batch. */
  readonly cue: DataSet;
}

const ATTEMPT = "tune by connectivity";

/**
 * Trains a network further so that it no longer uses a cue (connectivity-based fine-tuning, CBFT). Each step
 * draws a place on the line to the original network, from the middle half, and moves the loss there on data
 * with the cue towards `margin`, so that a barrier arises; then it lowers the loss on clean data and the
 * distance between the mean representations of each class with and without the cue.
 *
 * Norms keep their running statistics, and there is no dropout. The same seed gives the same bytes, also
 * after an interruption.
 * @throws OutOfRangeError if an option is out of range, or a data set is smaller than a batch
 * @throws UnsupportedError if the network has no last linear layer, or an operator has no gradient rule
 * @throws MismatchError, InputError if the network or data do not fit the graph, or the state is of another
 *   tuning or an earlier state must not be replaced
 * @throws DivergenceError if a loss is not finite
 * @throws DOMException named AbortError if `signal` is aborted
 * @see Lubana et al., Mechanistic mode connectivity, 2023, and `mech_fine_tuning.py` of its code
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, openDataSet, parseNetwork, tuneByConnectivity } from "isthmus";
 *
 * const clean = await openDataSet("mnist:test@128");
 * const cue = await openDataSet("mnist:test@128+cue=place");
 * const { graph, initialize } = parseNetwork("mlp:8", clean);
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 * const network = initialize(0); // one that has learned the cue, as a rule
 *
 * const tuned = await tuneByConnectivity(architecture, network, { clean, cue }, { seed: 0, epochs: 2 });
 * assert.deepEqual([...tuned.weights.tensors.keys()], [...network.tensors.keys()]);
 * assert.equal(tuned.gradients, 2 * 2 + 2 * 3); // two steps of two gradients, and two of three
 * ```
 */
export async function tuneByConnectivity(
  architecture: Architecture,
  network: Checkpoint,
  data: TuningData,
  options: TuneByConnectivityOptions,
): Promise<TunedByConnectivity> {
  const resolved = resolveFields(ATTEMPT, CONNECTIVITY_FIELDS, options, TUNING_RUN_DEFAULTS);
  assertBatch(resolved, data);
  const { seed, batch, epochs, signal, statePath: path, resume } = resolved;
  const { graph } = architecture;
  assertNetwork(graph, network);
  const before = await bindWeights(graph, network);
  const names = [...parameterNames(graph)].filter((name) => before.get(name)?.dtype === "f32");
  const moving = createMoving(before, names);
  const keeper = await openWorkKeeper(ATTEMPT, TUNING, moving.tensors, {
    path,
    resume,
    describe: () => describeTuning(architecture, network, { data, options: resolved }),
  });
  const clean = shuffledExamples(data.clean, seed);
  const cue = shuffledExamples(data.cue, seed);
  const opened: PulledLoss[] = [];
  try {
    for (const { data: examples } of [clean, cue])
      opened.push(await openPulledLoss(architecture, examples, { batch, names, signal }));
    const [onClean, onCue] = opened as [PulledLoss, PulledLoss];
    const steps = Math.floor(Math.min(data.clean.size, data.cue.size) / batch);
    const run = { clean, cue, onClean, onCue, names, before, moving, steps };
    const done = await runEpochs(run, keeper, resolved);
    const counted = Math.max(0, resolved.invariance === 0 ? 0 : epochs - resolved.warmup);
    return {
      weights: createCheckpoint(moving.weights, {}, `tuned ${network.source}`),
      ...done,
      steps: epochs * steps,
      gradients: (2 * epochs + counted) * steps,
    };
  } finally {
    for (const loss of opened) await loss.release();
  }
}

type ResolvedOptions = Required<TuneByConnectivityOptions>;

function assertBatch({ batch }: ResolvedOptions, { clean, cue }: TuningData): void {
  for (const { name, size } of [clean, cue]) {
    if (size >= batch) continue;
    throw new OutOfRangeError(
      `Cannot ${ATTEMPT} as "batch" must be at most the ${size} examples of "${name}": it is ${batch}`,
    );
  }
}

/** Describes all inputs that decide the result, so that no other tuning resumes from its state. */
async function describeTuning(
  { graph, engine }: Architecture,
  network: Checkpoint,
  { data, options }: { readonly data: TuningData; readonly options: ResolvedOptions },
): Promise<RunDescription> {
  const { statePath: _, resume: __, signal: ___, onProgress: ____, ...rules } = options;
  return {
    graph: fingerprintGraph(graph),
    weights: await fingerprintWeights(graph, network),
    clean: describeData(data.clean),
    cue: describeData(data.cue),
    engine: engine.name,
    ...rules,
  };
}
