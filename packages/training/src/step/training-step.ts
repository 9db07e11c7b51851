import type { TensorInfo } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import type { BlendedPoint } from "../blend/blend-point.ts";
import type { MaskInput } from "../mode/mask-input.ts";
import type { TermInputs } from "../objective.ts";
import type { InPlaceUpdate } from "../optimizer/in-place-rule.ts";

/** Role of a carried tensor: a trained weight, a running statistic of a norm, or state of the optimiser. */
export type CarriedRole = "parameter" | "statistic" | "state";

/** A tensor that a step takes and returns changed. */
export interface Carried extends TensorInfo {
  /**
   * Name of the weight of the step's graph that takes it. Outside of a blend, a parameter or statistic has
   * the same name in the checkpoint.
   */
  readonly input: string;
  /** Name of the output by which the step returns the changed tensor; missing if it is updated in place. */
  readonly output?: string;
  /** Role of the tensor: state starts as zeros, parameters and statistics start from the checkpoint. */
  readonly role: CarriedRole;
}

/** A data input f32 `[]` for a number that changes from step to step. */
export interface ScalarInput {
  /** Name of the data input. */
  readonly name: string;
  /**
   * Computes its value from the step's number, from 0, and the learning rate of the schedule at that step.
   */
  readonly valueAt: (step: number, learningRate: number) => number;
}

/** Parts of a step that a runner needs. */
export type RunnableStep = Pick<
  TrainingStep,
  "graph" | "carried" | "inPlace" | "scalars" | "masks" | "gradients" | "loss" | "metrics"
>;

/**
 * One step of training as a graph, so that a step is one engine call: it takes a batch, parameters and state,
 * and returns loss, parameters and state.
 */
export interface TrainingStep {
  /**
   * Typed; every carried tensor that it returns is a weight of it. Its other weights, which are frozen or
   * whole numbers, are fed unchanged from the checkpoint.
   */
  readonly graph: Graph;
  /** Examples in a batch. */
  readonly batch: number;
  /** Data input for the examples. */
  readonly examples: string;
  /**
   * Data input for the targets, or for labels i64 `[batch]` or `[batch, length]`; for next-token losses it is
   * `examples` again.
   */
  readonly targets: string;
  /** Data input f32 of the targets' shape for the weight of each target; missing if all count the same. */
  readonly targetWeights?: string;
  /** Data inputs of every output, if several have a loss each; `targets` then belong to the first. */
  readonly terms?: readonly TermInputs[];
  /**
   * Tensors that the step takes and returns changed: parameters, running statistics and the optimiser's
   * state.
   */
  readonly carried: readonly Carried[];
  /** Update that the step's runner makes in place; missing if the graph updates parameters itself. */
  readonly inPlace?: InPlaceUpdate;
  /** Data inputs for numbers that change from step to step, such as the learning rate. */
  readonly scalars: readonly ScalarInput[];
  /** Data inputs for the masks of dropouts; empty if the network has none. */
  readonly masks: readonly MaskInput[];
  /** Data inputs for the weights that a proximal term stays near, by trained parameter; empty without one. */
  readonly references: ReadonlyMap<string, string>;
  /** Data inputs for tensors that are added to gradients, by trained parameter; empty if none are. */
  readonly corrections: ReadonlyMap<string, string>;
  /** Data inputs for masks of elements that stay zero, by trained parameter; empty without any. */
  readonly weightMasks: ReadonlyMap<string, string>;
  /**
   * Outputs for the gradients by the trained parameters, by parameter; missing if the step updates parameters
   * itself.
   */
  readonly gradients?: ReadonlyMap<string, string>;
  /** Points whose weighted sum is the network; missing without a blend. */
  readonly blend?: readonly BlendedPoint[];
  /** Scalar output: the mean loss of the batch before the step. */
  readonly loss: string;
  /**
   * Names of further scalar outputs, by what they measure: `correct` (examples classified or tokens predicted
   * correctly), `counted` (predictions that count, if not the whole batch does), `gradientNorm` (if gradients
   * are clipped, their norm before clipping).
   */
  readonly metrics: ReadonlyMap<string, string>;
}
