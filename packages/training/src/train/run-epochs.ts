import { DivergenceError, EngineError, findNonFinite, type Tensor } from "@isthmus/core";
import { type DataSet, type FeedPlan, fieldsOfKind } from "@isthmus/graph";
import type { Batches } from "../batches/create-batches.ts";
import { type EpochSizes, stepsUntil } from "../batches/epoch-steps.ts";
import type { BlendFeeder } from "../blend/create-blend-feeder.ts";
import { learningRateAt } from "../schedule/learning-rate-at.ts";
import { countPredictions } from "./count-predictions.ts";
import type { NetworkEvaluator } from "./create-network-evaluator.ts";
import type { StepOutcome, StepRunner } from "./create-step-runner.ts";
import type { TargetFiller } from "./create-target-filler.ts";
import type { RunDescription } from "./describe-run.ts";
import type { ResolvedTrainOptions } from "./train-options.ts";
import { createStepPace, type TrainProgress } from "./train-progress.ts";
import type { EpochResult, EvaluationResult, TrainResult } from "./train-result.ts";
import { saveState, type TrainingPosition } from "./training-state.ts";

/** Parts that a training loop makes steps with. */
export interface LoopParts {
  /** Runner that makes steps and holds the carried tensors. */
  readonly runner: StepRunner;
  /** Batches of examples, step by step. */
  readonly batches: Batches;
  /** Filler of targets and their weights, from the current batch. */
  readonly filler: Pick<TargetFiller, "feeds" | "fill">;
  /** Plan that tells which data inputs of the network take which tensors of a batch. */
  readonly plan: Pick<FeedPlan, "feedsOf">;
  /** Evaluator of the network after every epoch; undefined without evaluation data. */
  readonly evaluator: NetworkEvaluator | undefined;
  /** Examples that the network is trained on. */
  readonly data: Pick<DataSet, "size">;
  /** Feeder of the blend at which each step is made; missing without a blend. */
  readonly blend?: BlendFeeder | undefined;
  /** Tensors of further data inputs of the step, which are the same in every step. @defaultValue none */
  readonly constants?: ReadonlyMap<string, Tensor>;
  /** Called with the number of finished epochs after each of them, before its state is written. */
  readonly onEpoch?: (epochs: number) => Promise<void>;
  /** Called after the steps whose weights are collected. @defaultValue no weights are collected */
  readonly collect?: { readonly steps: ReadonlySet<number>; take(step: number): Promise<void> } | undefined;
  /** Description of the training, which states hold so that no other training resumes from them. */
  readonly run: RunDescription;
}

/**
 * Makes the remaining steps of a training, with an evaluation and a state after each epoch.
 * @throws DivergenceError if a loss or a weight is not finite
 * @throws DOMException named AbortError if the signal is aborted, once the state is written
 */
export async function runEpochs(
  parts: LoopParts,
  start: TrainingPosition,
  options: ResolvedTrainOptions,
): Promise<TrainResult> {
  const loop = new Loop(parts, start, options);
  try {
    return await loop.run();
  } catch (error) {
    if (options.signal?.aborted) await loop.save();
    throw error;
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

class Loop {
  readonly #parts: LoopParts;
  readonly #options: ResolvedTrainOptions;
  readonly #sizes: EpochSizes;
  readonly #steps: number;
  readonly #at: Mutable<TrainingPosition>;
  readonly #resumedAt: number;
  readonly #pace = createStepPace();
  readonly #inputs: Map<string, Tensor>;
  #saved: TrainingPosition | undefined;
  #loss = Number.NaN;
  #learningRate = Number.NaN;
  #stepMs = 0;
  #evaluationMs = 0;

  constructor(parts: LoopParts, start: TrainingPosition, options: ResolvedTrainOptions) {
    const { filler, data } = parts;
    this.#parts = parts;
    this.#options = options;
    this.#sizes = { examples: data.size, batch: options.batch, remainder: options.remainder };
    this.#steps = stepsUntil(options.epochs, this.#sizes);
    this.#at = { ...start };
    this.#resumedAt = start.step;
    this.#inputs = new Map(filler.feeds);
  }

  async run(): Promise<TrainResult> {
    const began = performance.now();
    await this.#parts.runner.hold(this.#parts.constants ?? new Map());
    // A training that was stopped while these weights were taken has saved the step already.
    if (this.#resumedAt > 0) await this.#collect();
    while (this.#at.epochs.length < this.#options.epochs) await this.#runEpoch();
    const { epochs } = this.#at;
    const last = epochs.at(-1);
    const stepSeconds = this.#stepMs / 1000;
    const examples = (this.#at.step - this.#resumedAt) * this.#options.batch;
    const { kind } = this.#options.loss;
    return {
      // A loss that the graph computes itself is of no known kind.
      ...(kind !== "output" && fieldsOfKind(kind)),
      seed: this.#options.seed,
      steps: this.#steps,
      batch: this.#options.batch,
      epochs,
      loss: last?.loss ?? Number.NaN,
      ...(last?.accuracy !== undefined && { accuracy: last.accuracy }),
      ...(last?.evaluation && { evaluation: last.evaluation }),
      resumedAt: this.#resumedAt,
      seconds: (performance.now() - began) / 1000,
      stepSeconds,
      examplesPerSecond: examples === 0 ? 0 : examples / stepSeconds,
    };
  }

  async #runEpoch(): Promise<void> {
    const { saveEvery, signal } = this.#options;
    const epoch = this.#at.epochs.length;
    const end = stepsUntil(epoch + 1, this.#sizes);
    await this.#parts.blend?.beginEpoch(epoch);
    const began = performance.now();
    let paused = 0;
    this.#pace.restart();
    while (this.#at.step < end) {
      signal?.throwIfAborted();
      await this.#runStep();
      await this.#collect();
      if (saveEvery === 0 || this.#at.step % saveEvery !== 0 || this.#at.step === end) continue;
      const stopped = performance.now();
      await this.save();
      paused += performance.now() - stopped;
      this.#pace.restart();
    }
    this.#stepMs += performance.now() - began - paused;
    await this.#finishEpoch(end - stepsUntil(epoch, this.#sizes));
  }

  async #runStep(): Promise<void> {
    const { runner, batches, filler, plan, blend } = this.#parts;
    const { step } = this.#at;
    const learningRate = learningRateAt(this.#options.schedule, step, this.#steps);
    batches.fill(step);
    filler.fill();
    // What the filler computes takes the place of an array of the data of that name.
    for (const [name, tensor] of plan.feedsOf(batches.current)) {
      if (!filler.feeds.has(name)) this.#inputs.set(name, tensor);
    }
    if (blend !== undefined) await this.#feedBlend(blend);
    const { constraint, move } = this.#options;
    const before = constraint?.applyInPlace && (await runner.carried());
    const outcome = await runner
      .run({ step, learningRate }, this.#inputs)
      .catch((error: unknown) => failStep(error, this.#options.batch));
    const finished = { finished: step + 1, steps: this.#steps };
    if (before !== undefined) constraint?.applyInPlace?.(finished, before, await runner.carried());
    const moves =
      move !== undefined && finished.finished % move.every === 0 && finished.finished < this.#steps;
    if (moves) await move.moveInPlace(finished, await runner.carried());
    await blend?.afterStep(finished);
    if (!Number.isFinite(outcome.loss))
      throw this.#diverged(`the loss must stay finite: it is ${outcome.loss}`);
    this.#loss = outcome.loss;
    this.#learningRate = learningRate;
    this.#count(outcome);
    this.#pace.tick();
    this.#report("training");
  }

  async #collect(): Promise<void> {
    const { collect } = this.#parts;
    if (!collect?.steps.has(this.#at.step)) return;
    await this.#assertFinite();
    await collect.take(this.#at.step);
  }

  async #feedBlend(blend: BlendFeeder): Promise<void> {
    await blend.fill(this.#at.step);
    for (const [name, tensor] of blend.tensors) this.#inputs.set(name, tensor);
  }

  #count({ loss, metrics }: StepOutcome): void {
    const { correct, counted } = countPredictions(
      this.#options.loss,
      metrics,
      this.#parts.batches.current.inputs.shape,
    );
    this.#at.step += 1;
    this.#at.lossSum += loss;
    if (correct === undefined) return;
    this.#at.correct += correct;
    this.#at.counted += counted;
  }

  async #finishEpoch(steps: number): Promise<void> {
    await this.#assertFinite();
    const { lossSum, correct, counted, epochs } = this.#at;
    const evaluation = await this.#evaluate();
    const result: EpochResult = {
      steps,
      loss: lossSum / steps,
      ...(counted > 0 && { accuracy: correct / counted }),
      ...(evaluation && { evaluation }),
    };
    await this.#parts.onEpoch?.(epochs.length + 1);
    Object.assign(this.#at, { lossSum: 0, correct: 0, counted: 0, epochs: [...epochs, result] });
    await this.save();
  }

  async #evaluate(): Promise<EvaluationResult | undefined> {
    const { evaluator, runner } = this.#parts;
    if (evaluator === undefined) return undefined;
    this.#report("evaluating");
    const began = performance.now();
    const weights = new Map([...runner.fixed, ...(await runner.carried())]);
    const evaluation = await evaluator.evaluate(weights, this.#options.signal);
    this.#evaluationMs = performance.now() - began;
    return evaluation;
  }

  /** Writes the state if the options name a file for it, unless it is written already. */
  async save(): Promise<void> {
    const { statePath } = this.#options;
    const { step, epochs } = this.#at;
    if (statePath === undefined || (this.#saved?.step === step && this.#saved.epochs === epochs)) return;
    await this.#assertFinite();
    const { runner, run, blend } = this.#parts;
    const position = { ...this.#at };
    const tensors = new Map([...runner.fixed, ...(await runner.carried()), ...(blend?.stored ?? [])]);
    await saveState(statePath, tensors, { run, position });
    this.#saved = position;
  }

  /**
   * Checks the carried tensors, as a finite loss does not prove that the weights after its step are finite.
   */
  async #assertFinite(): Promise<void> {
    for (const [name, tensor] of await this.#parts.runner.carried()) {
      if (findNonFinite(tensor) < 0) continue;
      throw this.#diverged(`its weights must stay finite: "${name}" is not`);
    }
  }

  #diverged(rule: string): DivergenceError {
    const { statePath } = this.#options;
    const { step, epochs } = this.#at;
    const saved = this.#saved ?? (this.#resumedAt > 0 ? { step: this.#resumedAt } : undefined);
    const last =
      statePath === undefined || saved === undefined
        ? ""
        : `; "${statePath}" holds the last good weights, after step ${saved.step}: remove it to start anew`;
    const remedy =
      step === 0
        ? "no rate changes that before the first step: look for values in the network or the data that are not finite, or far too large"
        : "lower the learning rate or clip gradients";
    return new DivergenceError(
      `Cannot go on training at step ${step} of ${this.#steps}, in epoch ${epochs.length + 1}, as ${rule}; ${remedy}${last}`,
      { step, loss: this.#loss },
    );
  }

  #report(phase: TrainProgress["phase"]): void {
    const { onProgress, batch, epochs } = this.#options;
    if (onProgress === undefined) return;
    const { step, lossSum } = this.#at;
    const epoch = this.#at.epochs.length;
    const secondsPerStep = this.#pace.secondsPerStep();
    const evaluations = this.#parts.evaluator === undefined ? 0 : epochs - epoch;
    onProgress({
      phase,
      done: this.#steps === 0 ? 1 : step / this.#steps,
      step,
      steps: this.#steps,
      epoch,
      epochs,
      loss: this.#loss,
      meanLoss: lossSum / (step - stepsUntil(epoch, this.#sizes)),
      learningRate: this.#learningRate,
      examplesPerSecond: batch / secondsPerStep,
      secondsLeft: (this.#steps - step) * secondsPerStep + (evaluations * this.#evaluationMs) / 1000,
    });
  }
}

/** Throws the error of a step, which names the batch if memory is too small for it. */
function failStep(error: unknown, batch: number): never {
  if (!(error instanceof EngineError && error.lacksMemory) || batch <= 1) throw error;
  const { engine, message } = error;
  throw new EngineError(
    `Cannot train by batches of ${batch} examples as the memory of ${engine} must hold their values: ${message}; set the batch to ${Math.floor(batch / 2)} or less, which changes the result`,
    { engine, lacksMemory: true, cause: error },
  );
}
