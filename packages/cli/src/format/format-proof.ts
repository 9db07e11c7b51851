import { type BindingSummary, describeUnchecked } from "@isthmus/graph";
import { nameOutputs, type OutputsOptions } from "../options/outputs-option.ts";

/** Words for the scope of the proof of an alignment. */
export interface ProofScope {
  /** Outputs of the graph that it covers, with a space in front; empty if it covers all. */
  readonly counted: string;
  /** Tensors that the graph does not read, so that they are not covered; empty if it reads all. */
  readonly unchecked: string;
}

/** Makes the words for the scope of the proof of an alignment. */
export function proofScope(options: OutputsOptions, binding: BindingSummary | undefined): ProofScope {
  return {
    counted: nameOutputs(options, " "),
    unchecked: binding === undefined ? "" : describeUnchecked(binding),
  };
}

/**
 * Says that networks still compute the same function, as far as it was proved.
 * @param claim - subject and verb, such as `B computes`
 * @param error - largest relative error that was found
 */
export function formatProof(claim: string, error: number, { counted, unchecked }: ProofScope): string {
  return `${claim} the same${counted}, to ${error.toExponential(1)} (relative)${unchecked}`;
}
