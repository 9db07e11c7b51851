import type { Value } from "../builder/graph-builder.ts";
import { clip, softplus } from "../builder/operators/activation.ts";
import { abs, cast, exp, mul, sub } from "../builder/operators/elementwise.ts";

/** A loss that compares each number of an output with its own target. */
export interface ElementwiseLoss {
  /** Computes the loss of one number. */
  of(output: number, target: number): number;
  /** Adds the nodes that compute the loss of each number to a graph. */
  nodes(output: Value, target: Value): Value;
  /** Checks whether a number is right; absent if the loss has no notion of it. */
  readonly isRight?: (output: number, target: number) => boolean;
}

/** Name of a loss that compares each number of an output with its own target. */
export type ElementwiseLossName =
  | "binary-cross-entropy"
  | "mean-squared-error"
  | "mean-absolute-error"
  | "huber"
  | "poisson";

/** Losses that compare each number of an output with its own target, by name. */
export const ELEMENTWISE_LOSSES: Readonly<Record<ElementwiseLossName, ElementwiseLoss>> = {
  "binary-cross-entropy": {
    of: (logit, target) => Math.max(logit, 0) - logit * target + Math.log1p(Math.exp(-Math.abs(logit))),
    nodes: (logit, target) => {
      // onnxruntime has Softplus only for f32.
      const [x, y] = [cast(logit, "f32"), cast(target, "f32")];
      return sub(softplus(x), mul(x, y));
    },
    isRight: (logit, target) => logit > 0 === target > 0.5,
  },
  "mean-squared-error": {
    of: (output, target) => (output - target) ** 2,
    nodes: (output, target) => {
      const difference = sub(output, target);
      return mul(difference, difference);
    },
  },
  "mean-absolute-error": {
    of: (output, target) => Math.abs(output - target),
    nodes: (output, target) => abs(sub(output, target)),
  },
  huber: {
    of: (output, target) => {
      const near = Math.min(Math.max(output - target, -1), 1);
      return near * (output - target - near / 2);
    },
    nodes: (output, target) => {
      const difference = sub(output, target);
      const near = clip(difference, -1, 1);
      return mul(near, sub(difference, mul(near, 0.5)));
    },
  },
  poisson: {
    of: (output, target) => Math.exp(output) - target * output,
    nodes: (output, target) => sub(exp(output), mul(target, output)),
  },
};

/** Checks whether a loss compares each number of an output with its own target. */
export function isElementwise(loss: unknown): loss is ElementwiseLossName {
  return typeof loss === "string" && Object.hasOwn(ELEMENTWISE_LOSSES, loss);
}

/** Names of the losses that compare each number of an output with its own target. */
export const ELEMENTWISE_LOSS_NAMES = Object.keys(ELEMENTWISE_LOSSES) as readonly ElementwiseLossName[];
