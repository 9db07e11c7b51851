import type { Evaluation } from "@isthmus/graph";

/**
 * Loss and accuracy of a network on some examples, without an accuracy if the loss has no errors; a type
 * alias, so that it has an index signature.
 */
export type EvaluatedNetwork = {
  /** Mean loss, in the unit of the loss: nats for cross-entropy. */
  readonly loss: number;
  /** Share of examples that are classified correctly, in `[0, 1]`; absent if the loss has no errors. */
  readonly accuracy?: number;
};

/** Returns the loss of a network, and its accuracy if the loss has errors. */
export function evaluatedNetwork({ loss, error }: Pick<Evaluation, "loss" | "error">): EvaluatedNetwork {
  return { loss, ...(!Number.isNaN(error) && { accuracy: 1 - error }) };
}
