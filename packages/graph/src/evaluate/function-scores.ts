import { InputError, OutOfRangeError, type Tensor } from "@isthmus/core";
import type { DataSet } from "../data-set.ts";
import type { LossFunction } from "../scoring/losses.ts";
import type { RunBatch } from "./create-passes.ts";
import { type Evaluation, summarize } from "./scores.ts";

/** Scores of a network by a function, accumulated batch by batch. */
export class FunctionScores {
  readonly #attempt: string;
  readonly #data: DataSet;
  readonly #lossOf: LossFunction;
  readonly #losses: Float64Array;

  constructor(attempt: string, data: DataSet, lossOf: LossFunction) {
    this.#attempt = attempt;
    this.#data = data;
    this.#lossOf = lossOf;
    this.#losses = new Float64Array(data.size);
  }

  /** Adds the losses of the examples of a batch. */
  add(run: RunBatch): void {
    const { batch, examples, begin } = run;
    const outputs = new Map(
      [...run.results].map(([name, tensor]) => [name, rowsOf(tensor, run, this.#data)]),
    );
    const losses = this.#lossOf(outputs, batch);
    if (losses?.length !== examples) {
      throw new OutOfRangeError(
        `Cannot ${this.#attempt} on "${this.#data.name}" as the function must return a loss for each of ${examples} examples: it returned ${losses?.length ?? "nothing"}`,
      );
    }
    this.#losses.set(losses, begin);
  }

  /** Returns the evaluation of all added examples. */
  result(): Evaluation {
    return summarize(this.#losses, new Float64Array(this.#losses.length).fill(Number.NaN));
  }
}

/** Returns the rows of a tensor without rows that only fill up a batch. */
function rowsOf(tensor: Tensor, { rows, examples }: RunBatch, { name }: DataSet): Tensor {
  const [first, ...shape] = tensor.shape;
  if (first !== rows) {
    throw new InputError(
      `Cannot score networks on "${name}" by a function as each output must have a row for each of ${rows} examples: one has ${first ?? "no rows"}`,
      { input: name },
    );
  }
  const size = (tensor.data.length / rows) * examples;
  return { ...tensor, shape: [examples, ...shape], data: tensor.data.subarray(0, size) };
}
