import { type BindingSummary, describeUnchecked } from "@isthmus/graph";
import { nameOutputs, type OutputsOptions } from "../options/outputs-option.ts";

/** Words for what the proof of an alignment speaks of. */
export interface ProofScope {
  /** Outputs of the graph that it speaks of, with a space in front; empty if it speaks of all. */
  readonly counted: string;
  /** Tensors that the graph does not read, of which it says nothing; empty if it reads all. */
  readonly unchecked: string;
}

/** Makes the words for what the proof of an alignment speaks of. */
export function proofScope(options: OutputsOptions, binding: BindingSummary | undefined): ProofScope {
  return {
    counted: nameOutputs(options, " "),
    unchecked: binding === undefined ? "" : describeUnchecked(binding),
  };
}

/**
 * Says that networks compute what they did, as far as it was proved.
 * @param claim - who computes, such as `B computes`
 * @param error - largest relative error that was found
 */
export function formatProof(claim: string, error: number, { counted, unchecked }: ProofScope): string {
  return `${claim} the same${counted}, to ${error.toExponential(1)} (relative)${unchecked}`;
}
