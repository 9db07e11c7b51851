import type { Kernels } from "../../wasm/update.mjs";

/** The kernels of `kernels/update.ts`, by the names that they are exported by. */
export type UpdateKernel = Exclude<keyof Kernels, "memory" | "base">;

/** Rule by which a kernel changes a parameter and its state in place, with the bits of the rule's nodes. */
export interface InPlaceRule {
  /** Kernel that applies the rule. */
  readonly kernel: UpdateKernel;
  /** Kinds of the optimiser's state, in the order of the kernel's arguments. */
  readonly states: readonly string[];
  /** Computes the numbers that the kernel takes in a step, in its order. */
  readonly numbersAt: (
    at: { readonly step: number; readonly learningRate: number },
    decay: number,
  ) => readonly number[];
}

/** A trained parameter that is updated in place. */
export interface InPlaceParameter {
  /** Name of the weight of the step's graph. */
  readonly input: string;
  /** Name of the output for its gradient. */
  readonly gradient: string;
  /** Names of the carried tensors that hold the optimiser's state, in the order of the rule. */
  readonly states: readonly string[];
  /** Weight decay of the parameter. */
  readonly decay: number;
}

/** Update that a runner makes itself after each run of a step's graph, which returns gradients. */
export interface InPlaceUpdate {
  /** Rule of all parameters. */
  readonly rule: InPlaceRule;
  /** Parameters, each with its gradient and state. */
  readonly parameters: readonly InPlaceParameter[];
}
