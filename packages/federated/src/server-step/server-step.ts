import type { ParameterSpecs, TensorParameters } from "@isthmus/merging";

/** A range of elements of one tensor in f64, with the state of the server's optimiser for them. */
export interface ServerBlock {
  /** Number of this round, from 1. */
  readonly round: number;
  /** Change that the rule made of the clients' displacements, `[elements]`. */
  readonly change: Float64Array;
  /**
   * State of the optimiser, by name, `[elements]` each, which the step updates in place; 0 before round 1.
   */
  readonly states: Readonly<Record<string, Float64Array>>;
  /** Elements of the global network, `[elements]`, which the step updates in place. */
  readonly values: Float64Array;
}

/**
 * An optimiser of the server, which takes the aggregated change as a pseudo-gradient. Each is one file under
 * `server-step/`.
 */
export interface ServerStep<P extends ParameterSpecs = ParameterSpecs> {
  /** Name in configurations and on the command line. */
  readonly name: string;
  /** Description of the optimiser in one sentence. */
  readonly description: string;
  /** Source of the optimiser: paper, section and equation. */
  readonly source: string;
  /** Parameters, all with `of: "merge"`. */
  readonly parameters: P;
  /** Names of the states that are kept for each tensor from round to round. */
  readonly states: readonly string[];
  /**
   * Whether values and states after a step are weighted sums of the values, the change and the states before,
   * with the same weights for all elements; products of factors are only stepped by such optimisers.
   * @defaultValue false
   */
  readonly isLinear?: boolean;
  /** Moves the values and the state of a range. */
  stepInPlace(block: ServerBlock, parameters: TensorParameters<P>): void;
}
