import type { TensorInfo } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import type { BlendedPoint } from "../blend/blend-point.ts";
import type { MaskInput } from "../mode/mask-input.ts";

/** What a carried tensor is: trained, measured by norms, or kept by the optimiser. */
export type CarriedRole = "parameter" | "statistic" | "state";

/** A tensor that a step takes in and gives out changed. */
export interface Carried extends TensorInfo {
  /** Name of the weight of the step's graph that it enters by; of a parameter or statistic, its name in the checkpoint, but in a blend. */
  readonly input: string;
  /** Name of the output it leaves by. */
  readonly output: string;
  /** State starts as zeros; the others start as the checkpoint has them. */
  readonly role: CarriedRole;
}

/** A number that a step is told, as an f32 `[]` data input. */
export interface ScalarInput {
  readonly name: string;
  /** Its value in a step: by the step's number, from 0, and the learning rate the schedule gives it. */
  readonly valueAt: (step: number, learningRate: number) => number;
}

/**
 * One step of training as a graph, so that a step is one engine call: a batch, parameters and state in, loss, parameters and
 * state out.
 */
export interface TrainingStep {
  /**
   * Typed; every carried tensor is a weight of it. Its other weights, which are frozen or whole numbers, are fed as the
   * checkpoint has them.
   */
  readonly graph: Graph;
  /** Examples in a batch. */
  readonly batch: number;
  /** Data input for the examples. */
  readonly examples: string;
  /**
   * Data input for what they should become: labels i64 `[batch]`, or targets; for next-token losses it is `examples` again.
   */
  readonly targets: string;
  /** Data input f32 `[batch, length]`: how much each token counts, for next-token losses that are weighted. */
  readonly targetWeights?: string;
  readonly carried: readonly Carried[];
  readonly scalars: readonly ScalarInput[];
  readonly masks: readonly MaskInput[];
  /** Points whose weighted sum is the network, where it is one. */
  readonly blend?: readonly BlendedPoint[];
  /** Scalar output: the mean loss of the batch before the step. */
  readonly loss: string;
  /**
   * Scalar outputs worth watching: `correct` (examples classified rightly, or tokens predicted rightly), `counted` (tokens
   * that count, of next-token losses), `gradientNorm` (where gradients are clipped, before they are).
   */
  readonly metrics: ReadonlyMap<string, string>;
}
