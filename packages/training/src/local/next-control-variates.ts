import {
  convertData,
  createCheckpoint,
  createTensor,
  entry,
  sizeOf,
  type Tensor,
  type TensorInfo,
  toFloat64,
} from "@isthmus/core";
import { learningRateAt } from "../schedule/learning-rate-at.ts";
import type { ScheduleSpec } from "../schedule/schedule-spec.ts";
import type { ControlVariateUpdate } from "./control-variates.ts";

/** Tensors by the names of trained parameters. */
export type ParameterTensors = ReadonlyMap<string, Tensor>;

/** A finished training with control variates. */
export interface ControlledTraining {
  /** Weights `x` that training started from. */
  readonly start: ParameterTensors;
  /** Weights `y` that it ended with. */
  readonly end: ParameterTensors;
  /** Variates `c_i` of the client; missing if they are zeros. */
  readonly client: ParameterTensors | undefined;
  /** Correction `c - c_i` that was added to every gradient; missing if none was. */
  readonly correction: ParameterTensors | undefined;
  /** Gradient at `x`, by option I; missing by option II. */
  readonly gradient: ParameterTensors | undefined;
  /** Sum of the learning rates of all steps, which is `K eta` if the rate is constant. */
  readonly rates: number;
}

/**
 * Computes a client's next control variates, in f64. By option II they are `(x - y) / (K eta) - (c - c_i)`:
 * the mean of the gradients of all steps, each counted by its learning rate. The rounding of the weights
 * enters them divided by `K eta`.
 */
export function nextControlVariates(training: ControlledTraining): ControlVariateUpdate {
  const { start, end, client, correction, gradient, rates } = training;
  const next = new Map<string, Tensor>();
  const change = new Map<string, Tensor>();
  const weightChange = new Map<string, Tensor>();
  for (const [name, x] of start) {
    const moved = difference(numbersOf(entry(end, name, "weight")), numbersOf(x));
    const added = numbersIn(correction, name, moved.length);
    const mean =
      gradient === undefined
        ? moved.map((value, i) => -value / rates - (added[i] as number))
        : numbersIn(gradient, name, moved.length);
    const after = tensorOf(x, mean);
    next.set(name, after);
    // The change is computed from the variates in their stored types, so that sums of changes agree with
    // them.
    change.set(name, tensorOf(x, difference(numbersOf(after), numbersIn(client, name, moved.length))));
    weightChange.set(name, tensorOf(x, moved));
  }
  return {
    client: createCheckpoint(next, {}, "control variates"),
    clientChange: createCheckpoint(change, {}, "change of control variates"),
    weightChange: createCheckpoint(weightChange, {}, "change of weights"),
  };
}

/** Adds up the learning rates of all steps in single precision, in which they are fed. */
export function sumLearningRates(schedule: ScheduleSpec, steps: number): number {
  let sum = 0;
  for (let step = 0; step < steps; step++) sum += Math.fround(learningRateAt(schedule, step, steps));
  return sum;
}

/** Computes `c - c_i` for each parameter; variates that are missing are zeros. */
export function controlCorrection(
  parameters: ReadonlyMap<string, TensorInfo>,
  server: ParameterTensors | undefined,
  client: ParameterTensors | undefined,
): Map<string, Tensor> {
  return new Map(
    [...parameters].map(([name, info]) => {
      const size = sizeOf(info.shape);
      return [name, tensorOf(info, difference(numbersIn(server, name, size), numbersIn(client, name, size)))];
    }),
  );
}

/** Computes `b + factor a`, in the element type of `a`. */
export function addScaled(a: Tensor, b: Tensor, factor: number): Tensor {
  const from = numbersOf(a);
  return tensorOf(
    a,
    numbersOf(b).map((value, i) => value + factor * (from[i] as number)),
  );
}

/** Computes `a - b`. */
const difference = (a: Float64Array, b: Float64Array): Float64Array =>
  a.map((value, i) => value - (b[i] as number));

/** Returns the numbers of a tensor; zeros if there are no tensors. */
function numbersIn(tensors: ParameterTensors | undefined, name: string, size: number): Float64Array {
  return tensors === undefined ? new Float64Array(size) : numbersOf(entry(tensors, name, "tensor"));
}

const numbersOf = ({ data, dtype }: Tensor): Float64Array => toFloat64(data, dtype);

function tensorOf({ dtype, shape }: TensorInfo, numbers: Float64Array): Tensor {
  return createTensor(dtype, shape, convertData(numbers, "f64", dtype));
}
