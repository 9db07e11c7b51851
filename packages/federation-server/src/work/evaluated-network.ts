import type { Evaluation } from "@isthmus/graph";

/**
 * Loss and accuracy of a network on some examples, without an accuracy if the loss has no errors; a type
 * alias, so that it has an index signature.
 */
export type EvaluatedNetwork = { readonly loss: number; readonly accuracy?: number };

/** Returns the loss of a network, and its accuracy if the loss has errors. */
export function evaluatedNetwork({ loss, error }: Pick<Evaluation, "loss" | "error">): EvaluatedNetwork {
  return { loss, ...(!Number.isNaN(error) && { accuracy: 1 - error }) };
}
