import { type Checkpoint, resolveOptions, type Tensor } from "@isthmus/core";
import { type Architecture, bindWeights, compareOutputs, randomInputs } from "@isthmus/graph";

/** Options of {@link verifyAlignment}. */
export interface VerifyAlignmentOptions {
  /** Seed of the inputs, if `inputs` is left out. */
  readonly seed: number;
  /** Tensors for the data inputs of the graph, one for each. @defaultValue random ones */
  readonly inputs?: ReadonlyMap<string, Tensor> | undefined;
  /** Random examples. @defaultValue 8 */
  readonly batch?: number;
  /** Largest difference of an output, relative to the output's largest element. @defaultValue 1e-4 */
  readonly tolerance?: number;
  /** Signal that stops the check between the runs of the two networks. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
}

/** Defaults of {@link VerifyAlignmentOptions}; the seed has none. */
export const VERIFY_ALIGNMENT_DEFAULTS: Required<Omit<VerifyAlignmentOptions, "seed">> = {
  inputs: undefined,
  batch: 8,
  tolerance: 1e-4,
  signal: undefined,
};

/** Result of {@link verifyAlignment}. */
export interface VerifyAlignmentResult {
  /** Whether every output is within tolerance. */
  readonly passed: boolean;
  /** Largest difference of any two corresponding outputs. */
  readonly maxAbsoluteDifference: number;
  /** Largest difference of an output, relative to the largest element of that output. */
  readonly maxRelativeError: number;
  /** Seed that was used, with which the check can be repeated. */
  readonly seed: number;
}

/**
 * Checks that a permuted network computes the same function: runs both networks on the same inputs and
 * compares their outputs.
 *
 * @param before - the network
 * @param after - the permuted network
 * @throws MismatchError if a network does not fit the graph
 * @throws EngineError if the engine cannot run the graph
 */
export async function verifyAlignment(
  { graph, engine }: Architecture,
  [before, after]: readonly [Checkpoint, Checkpoint],
  options: VerifyAlignmentOptions,
): Promise<VerifyAlignmentResult> {
  const { seed, ...rest } = options;
  const { signal, batch, tolerance, ...resolved } = resolveOptions(
    "verify an alignment",
    VERIFY_ALIGNMENT_DEFAULTS,
    rest,
    ["seed"],
  );
  const inputs = resolved.inputs ?? randomInputs(graph, batch, seed);
  const session = await engine.load(graph);
  try {
    const run = async (network: Checkpoint): Promise<Map<string, Tensor>> => {
      const outputs = await session.run(new Map([...inputs, ...(await bindWeights(graph, network))]));
      signal?.throwIfAborted();
      return outputs;
    };
    const one = await run(before);
    const two = await run(after);
    const { absolute, relative } = compareOutputs(graph, one, two);
    return {
      passed: relative <= tolerance,
      maxAbsoluteDifference: absolute,
      maxRelativeError: relative,
      seed,
    };
  } finally {
    await session.release();
  }
}
