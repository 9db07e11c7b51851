import {
  assertWholeOptions,
  type Checkpoint,
  createCheckpoint,
  createRandom,
  createTensor,
  DivergenceError,
  entry,
  OutOfRangeError,
  resolveOptions,
  type Tensor,
} from "@isthmus/core";
import { type Architecture, assertNetwork, bindWeights, type DataSet, parameterNames } from "@isthmus/graph";
import { invariancePulls } from "./invariance-pulls.ts";
import { openPulledLoss, type PulledLoss, type Weights } from "./open-pulled-loss.ts";
import { type ShuffledExamples, shuffledExamples } from "./shuffled-examples.ts";
import { TUNE_BY_CONNECTIVITY_DEFAULTS, type TuneByConnectivityOptions } from "./tune-options.ts";

/** Data with the cue that a network is not to use, and data without. */
export interface TuningData {
  readonly clean: DataSet;
  readonly cue: DataSet;
}

/** Losses of an epoch, mean over its steps, in nats. */
export interface TunedEpoch {
  /** Cross-entropy on clean data. */
  readonly clean: number;
  /** Cross-entropy on data with the cue, of networks on the line. */
  readonly onLine: number;
  /** Distance between representations with and without the cue; 0 before it counts. */
  readonly invariance: number;
}

/** A network that was tuned. */
export interface TunedByConnectivity {
  /** In memory, in the order of the graph. */
  readonly weights: Checkpoint;
  readonly epochs: readonly TunedEpoch[];
}

const ATTEMPT = "tune by connectivity";
const MOMENTUM = 0.9;

/**
 * Trains a network on so that it no longer uses a cue (connectivity-based fine-tuning, CBFT). Each step draws
 * a place on the line to the network as it was, from the middle half, and moves the loss there on data with
 * the cue towards `margin`, so that a barrier arises; then it lowers the loss on clean data and the distance
 * between the mean representations of each class with and without the cue.
 *
 * Norms keep their running statistics, and nothing is dropped out. The same seed gives the same bytes.
 * @throws OutOfRangeError if an option is out of range, or a data set is smaller than a batch
 * @throws UnsupportedError if the network has no last linear layer, or an operator has no gradient rule
 * @throws MismatchError, InputError if the network or data do not fit the graph
 * @throws DivergenceError if a loss is not finite
 * @throws DOMException named AbortError if `signal` is aborted
 * @see Lubana et al., Mechanistic mode connectivity, 2023, and `mech_fine_tuning.py` of its code
 */
export async function tuneByConnectivity(
  architecture: Architecture,
  network: Checkpoint,
  data: TuningData,
  options: TuneByConnectivityOptions,
): Promise<TunedByConnectivity> {
  const { seed, ...others } = options;
  const resolved = resolveOptions(ATTEMPT, TUNE_BY_CONNECTIVITY_DEFAULTS, others);
  assertWholeOptions(ATTEMPT, { ...resolved, seed }, { epochs: 1, batch: 1, warmup: 0, seed: 0 });
  for (const name of ["learningRate", "margin", "invariance"] as const) {
    if (resolved[name] >= 0 && Number.isFinite(resolved[name])) continue;
    throw new OutOfRangeError(
      `Cannot ${ATTEMPT} as "${name}" must be a number of at least 0: it is ${resolved[name]}`,
    );
  }
  const { batch, epochs, signal } = resolved;
  for (const { name, size } of [data.clean, data.cue]) {
    if (size >= batch) continue;
    throw new OutOfRangeError(
      `Cannot ${ATTEMPT} as "batch" must be at most the ${size} examples of "${name}": it is ${batch}`,
    );
  }
  const { graph } = architecture;
  assertNetwork(graph, network);
  const before = await bindWeights(graph, network);
  const names = [...parameterNames(graph)].filter((name) => before.get(name)?.dtype === "f32");
  const clean = shuffledExamples(data.clean, seed);
  const cue = shuffledExamples(data.cue, seed);
  const opened: PulledLoss[] = [];
  try {
    for (const { data: examples } of [clean, cue])
      opened.push(await openPulledLoss(architecture, examples, { batch, names, signal }));
    const [onClean, onCue] = opened as [PulledLoss, PulledLoss];
    const steps = Math.floor(Math.min(data.clean.size, data.cue.size) / batch);
    const run = { clean, cue, onClean, onCue, names, before, steps };
    const done = await runEpochs(run, { ...resolved, seed, total: steps * epochs });
    return { weights: createCheckpoint(done.weights, {}, `tuned ${network.source}`), epochs: done.epochs };
  } finally {
    for (const loss of opened) await loss.release();
  }
}

type ResolvedOptions = Required<TuneByConnectivityOptions> & { readonly total: number };

/** What steps are made with. */
interface Run {
  readonly clean: ShuffledExamples;
  readonly cue: ShuffledExamples;
  readonly onClean: PulledLoss;
  readonly onCue: PulledLoss;
  readonly names: readonly string[];
  readonly before: Weights;
  /** In an epoch. */
  readonly steps: number;
}

async function runEpochs(run: Run, options: ResolvedOptions) {
  const weights = new Map(run.before);
  const velocity = new Map<string, Float32Array>();
  const epochs: TunedEpoch[] = [];
  const random = createRandom(options.seed, "places on the line");
  for (let epoch = 0; epoch < options.epochs; epoch++) {
    run.clean.shuffle(epoch);
    run.cue.shuffle(epoch);
    const sums = { clean: 0, onLine: 0, invariance: 0 };
    for (let index = 0; index < run.steps; index++) {
      const step = epoch * run.steps + index;
      const rate = 0.5 * options.learningRate * (1 + Math.cos((Math.PI * step) / options.total));
      const move = (gradients: ReadonlyMap<string, Float32Array>) =>
        moveInPlace(weights, { gradients, velocity, rate });
      const t = 0.5 + 0.5 * Math.max(-0.5, Math.min(0.5, random.normal()));
      const barrier = await barrierGradient(run, weights, { t, index, margin: options.margin });
      move(barrier.gradients);
      const { invariance } = epoch < options.warmup ? { invariance: 0 } : options;
      const lowered = await cleanGradient(run, weights, { index, invariance });
      move(lowered.gradients);
      sums.onLine += barrier.loss / run.steps;
      sums.clean += lowered.loss / run.steps;
      sums.invariance += lowered.invariance / run.steps;
      if (!Number.isFinite(barrier.loss + lowered.loss)) {
        throw new DivergenceError(
          `Cannot ${ATTEMPT} further as losses must be finite: they are not in step ${step}; try a smaller "learningRate"`,
          { step, loss: barrier.loss + lowered.loss },
        );
      }
    }
    epochs.push(sums);
    options.onProgress?.({ done: (epoch + 1) / options.epochs, epochs: epoch + 1 });
  }
  return { weights, epochs };
}

/** Computes the gradient of `|margin - loss|` at a place of the line, by the end that is tuned. */
async function barrierGradient(
  { onCue, names, before }: Run,
  weights: Weights,
  { t, index, margin }: { readonly t: number; readonly index: number; readonly margin: number },
) {
  const between = new Map<string, Tensor>(weights);
  for (const name of names) {
    const [start, tuned] = [valuesOf(before, name), valuesOf(weights, name)];
    const { shape } = entry(before, name, "weight");
    const mixed = tuned.map((x, i) => t * (start[i] as number) + (1 - t) * x);
    between.set(name, createTensor("f32", shape, mixed));
  }
  const { loss, gradients } = await onCue.differentiate(between, index, { scale: 1 });
  const factor = (1 - t) * Math.sign(loss - margin);
  return {
    loss,
    gradients: new Map([...gradients].map(([name, values]) => [name, values.map((x) => factor * x)])),
  };
}

/** Computes the gradient of the loss on clean data and of the distance between representations. */
async function cleanGradient(
  { clean, cue, onClean, onCue }: Run,
  weights: Weights,
  { index, invariance }: { readonly index: number; readonly invariance: number },
) {
  if (invariance === 0) {
    return { ...(await onClean.differentiate(weights, index, { scale: 1 })), invariance: 0 };
  }
  const features = [await onClean.represent(weights, index), await onCue.represent(weights, index)] as const;
  const labelsOf = ({ data }: ShuffledExamples, count: number) =>
    data.read(index * count, (index + 1) * count).labels;
  const { batch } = onClean;
  const { loss: distance, pulls } = invariancePulls(
    [
      { features: features[0], labels: labelsOf(clean, batch) },
      { features: features[1], labels: labelsOf(cue, batch) },
    ],
    clean.data.classes,
    invariance,
  );
  const plain = await onClean.differentiate(weights, index, { scale: 1, pull: pulls[0] });
  const pulled = await onCue.differentiate(weights, index, { scale: 0, pull: pulls[1] });
  const gradients = new Map<string, Float32Array>();
  for (const [name, values] of plain.gradients) {
    const other = pulled.gradients.get(name);
    gradients.set(name, other === undefined ? values : values.map((x, i) => x + (other[i] as number)));
  }
  return { loss: plain.loss, gradients, invariance: distance };
}

/** How weights are moved. */
interface Move {
  readonly gradients: ReadonlyMap<string, Float32Array>;
  readonly velocity: Map<string, Float32Array>;
  readonly rate: number;
}

function moveInPlace(weights: Map<string, Tensor>, { gradients, velocity, rate }: Move): void {
  for (const [name, values] of gradients) {
    const last = velocity.get(name) ?? new Float32Array(values.length);
    const next = values.map((x, i) => x + MOMENTUM * (last[i] as number));
    velocity.set(name, next);
    const moved = valuesOf(weights, name).map((x, i) => x - rate * (next[i] as number));
    weights.set(name, createTensor("f32", entry(weights, name, "weight").shape, moved));
  }
}

function valuesOf(weights: Weights, name: string): Float32Array {
  return entry(weights, name, "weight").data as Float32Array;
}
