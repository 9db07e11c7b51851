import { createRandom, createTensor, DivergenceError, entry, type Tensor } from "@isthmus/core";
import type { WorkKeeper } from "@isthmus/training";
import { invariancePulls } from "./invariance-pulls.ts";
import { type MovingWeights, valuesOf } from "./moving-weights.ts";
import type { PulledLoss, Weights } from "./open-pulled-loss.ts";
import type { ShuffledExamples } from "./shuffled-examples.ts";
import type { TuneByConnectivityOptions } from "./tune-options.ts";
import type { TunedByConnectivity, TunedEpoch } from "./tune-result.ts";
import type { TuningPosition } from "./tune-state.ts";

/** Context of the steps of a tuning. */
export interface TuningRun {
  /** Examples without the cue, in the order of the epoch. */
  readonly clean: ShuffledExamples;
  /** Examples with the cue, in the order of the epoch. */
  readonly cue: ShuffledExamples;
  /** Loss of networks on the clean examples. */
  readonly onClean: PulledLoss;
  /** Loss of networks on the examples with the cue. */
  readonly onCue: PulledLoss;
  /** Names of the weights that are trained: the f32 parameters. */
  readonly names: readonly string[];
  /** Weights of the original network, by name; the other end of the line. */
  readonly before: Weights;
  /** Weights that are tuned, with their velocities. */
  readonly moving: MovingWeights;
  /** Number of steps in an epoch. */
  readonly steps: number;
}

type ResolvedOptions = Required<TuneByConnectivityOptions>;

/**
 * Runs the remaining epochs, and stores the state after each.
 * @throws DivergenceError if a loss is not finite
 */
export async function runEpochs(
  run: TuningRun,
  keeper: WorkKeeper<TuningPosition>,
  options: ResolvedOptions,
): Promise<Pick<TunedByConnectivity, "epochs" | "resumedAt">> {
  const { epochs: before } = (await keeper.begin()) ?? { epochs: [] };
  const epochs = [...before];
  while (epochs.length < options.epochs) {
    epochs.push(await runEpoch(run, epochs.length, options));
    await keeper.save({ epochs });
    options.onProgress?.({ done: epochs.length / options.epochs, epochs: epochs.length });
  }
  return { epochs, resumedAt: before.length };
}

async function runEpoch(run: TuningRun, epoch: number, options: ResolvedOptions): Promise<TunedEpoch> {
  run.clean.shuffle(epoch);
  run.cue.shuffle(epoch);
  const random = createRandom(options.seed, `places on the line, epoch ${epoch}`);
  const sums = { clean: 0, onLine: 0, invariance: 0 };
  for (let index = 0; index < run.steps; index++) {
    const step = epoch * run.steps + index;
    const rules = { rate: rateAt(step, run.steps, options), weightDecay: options.weightDecay };
    const t = 0.5 + 0.5 * Math.max(-0.5, Math.min(0.5, random.normal()));
    const barrier = await barrierGradient(run, { t, index, margin: options.margin });
    run.moving.moveInPlace(barrier.gradients, rules);
    const { invariance } = epoch < options.warmup ? { invariance: 0 } : options;
    const lowered = await cleanGradient(run, { index, invariance });
    run.moving.moveInPlace(lowered.gradients, rules);
    sums.onLine += barrier.loss / run.steps;
    sums.clean += lowered.loss / run.steps;
    sums.invariance += lowered.invariance / run.steps;
    const loss = barrier.loss + lowered.loss;
    if (!Number.isFinite(loss)) {
      throw new DivergenceError(
        `Cannot tune by connectivity further as losses must be finite: they are not in step ${step}; try a smaller "learningRate"`,
        { step, loss },
      );
    }
  }
  return sums;
}

/**
 * Returns the learning rate of a step. As in the paper's code it is constant for the epochs of `warmup` and
 * one more, and then falls by a cosine whose half period is the number of all steps, so that it does not
 * reach 0.
 */
function rateAt(step: number, perEpoch: number, { learningRate, warmup, epochs }: ResolvedOptions): number {
  const passed = Math.max(0, step - (warmup + 1) * perEpoch - 1);
  return 0.5 * learningRate * (1 + Math.cos((Math.PI * passed) / (epochs * perEpoch)));
}

/**
 * Computes the gradient of `|margin - loss|` at a place of the line, with respect to the tuned end of the
 * line.
 */
async function barrierGradient(
  { onCue, names, before, moving: { weights } }: TuningRun,
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
  { clean, cue, onClean, onCue, moving: { weights } }: TuningRun,
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
