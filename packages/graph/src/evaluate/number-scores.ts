import { formatShape, InputError } from "@isthmus/core";
import type { DataSet } from "../data-set.ts";
import { elementwiseLossInto } from "../kernels/elementwise.ts";
import { ELEMENTWISE_LOSSES, type ElementwiseLossName } from "../scoring/elementwise-losses.ts";
import { findTargets, type WriteTargets } from "../scoring/find-targets.ts";
import { type RunBatch, valuesOf } from "./create-passes.ts";
import { type Evaluation, nothingCounts, summarize } from "./scores.ts";

/** A value of a graph whose numbers are each compared with a target. */
export interface NumbersTask {
  /** Loss by which each number is compared with its target. */
  readonly loss: ElementwiseLossName;
  /** Name of the value. */
  readonly output: string;
  /** Examples with the targets of the numbers. */
  readonly data: DataSet;
  /** Name of the attempt for messages, for example `evaluate`. */
  readonly attempt: string;
}

/** Scores of the numbers of a network's output, accumulated batch by batch. */
export class NumberScores {
  readonly #task: NumbersTask;
  readonly #losses: Float64Array;
  readonly #right: Float64Array;
  #writeTargets: WriteTargets | undefined;

  constructor(task: NumbersTask) {
    this.#task = task;
    this.#losses = new Float64Array(task.data.size);
    this.#right = new Float64Array(task.data.size);
  }

  /** Adds the scores of each example of a batch: the means over its numbers that count. */
  add(run: RunBatch): void {
    const { attempt, data, output, loss } = this.#task;
    const tensor = run.results.get(output);
    const read = valuesOf(tensor, run);
    if (read === undefined) {
      throw new InputError(
        `Cannot ${attempt} on "${data.name}" as the output that is scored must be floating-point numbers of each example: "${output}" is ${tensor?.dtype ?? "nothing"} ${formatShape(tensor?.shape ?? [])}`,
        { input: data.name },
      );
    }
    this.#writeTargets ??= findTargets(attempt, data, read.shape);
    const targets = new Float32Array(read.values.length);
    this.#writeTargets(run.batch, targets);
    if (loss === "binary-cross-entropy") assertShares(attempt, data, targets);
    const width = read.values.length / run.examples;
    const out = { losses: this.#losses, right: this.#right, begin: run.begin };
    elementwiseLossInto({ outputs: read.values, targets, width }, ELEMENTWISE_LOSSES[loss], out);
    for (let i = 0; i < run.examples; i++) {
      const first = i * width;
      if (targets.subarray(first, first + width).every(Number.isNaN))
        throw nothingCounts(data, run.begin + i);
    }
  }

  /** Returns the evaluation of all added examples. */
  result(): Evaluation {
    return summarize(this.#losses, this.#right);
  }
}

/** Checks that targets are 0, 1, or between. */
function assertShares(attempt: string, { name }: DataSet, targets: Float32Array): void {
  const wrong = targets.find((target) => target < 0 || target > 1);
  if (wrong === undefined) return;
  throw new InputError(
    `Cannot ${attempt} on "${name}" by the binary cross-entropy as labels must be from 0 to 1: one is ${wrong}; --loss mean-squared-error compares other numbers`,
    { input: name },
  );
}
