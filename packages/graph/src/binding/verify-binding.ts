import { type Checkpoint, MismatchError, resolveOptions, type Tensor } from "@isthmus/core";
import type { Engine } from "../engine.ts";
import { compareOutputs } from "../evaluate/compare-outputs.ts";
import { bindWeights } from "../ir/bind-weights.ts";
import type { Graph } from "../ir/graph.ts";
import type { DecodedGraph } from "../onnx/decode-graph.ts";
import { randomInputs } from "../probe/random-inputs.ts";
import type { BoundNetworks } from "./bind-networks.ts";

/** Options of {@link verifyBinding}. */
export interface VerifyBindingOptions {
  /** Seed of the random inputs. */
  readonly seed: number;
  /** Number of random examples, if the graph takes any batch. @defaultValue 4 */
  readonly batch?: number;
  /**
   * Largest difference of an output, relative to its largest number. @defaultValue 1e-3, as norms are folded
   * in f32; .01 for checkpoints saved in f16 and .05 for bf16
   */
  readonly tolerance?: number | undefined;
  /** Signal that stops the proof between two runs. @defaultValue never aborted */
  readonly signal?: AbortSignal | undefined;
}

/** Defaults of {@link verifyBinding}; the seed has none. */
const VERIFY_BINDING_DEFAULTS: Required<Omit<VerifyBindingOptions, "seed">> = {
  batch: 4,
  tolerance: undefined,
  signal: undefined,
};

/**
 * Proves that a bound graph computes the same as the exported graph: runs the graph of the file with
 * the weights of the file, and the bound graph with the tensors of the checkpoint that it was
 * exported from, on the same inputs.
 *
 * The file is a witness that is independent of binding. If it contains no values, or values of an unknown
 * network, or the graph needed no change, there is nothing to compare.
 *
 * @returns the largest relative difference of the outputs; undefined if there is no witness
 * @throws MismatchError if the outputs differ by more than `tolerance`
 * @throws EngineError if the engine cannot run a graph
 */
export async function verifyBinding(
  decoded: DecodedGraph,
  { graph, exported }: Pick<BoundNetworks, "graph" | "exported">,
  engine: Engine,
  options: VerifyBindingOptions,
): Promise<number | undefined> {
  const { seed, ...rest } = options;
  const { batch, tolerance, signal } = resolveOptions("verify a binding", VERIFY_BINDING_DEFAULTS, rest, [
    "seed",
  ]);
  const original = decoded.graph;
  if (exported === undefined || graph === original) return undefined;
  const inputs = randomInputs(original, batch, seed);
  const expected = await run(engine, original, new Map([...inputs, ...decoded.weights]));
  signal?.throwIfAborted();
  const actual = await run(engine, graph, new Map([...inputs, ...(await bindWeights(graph, exported))]));
  signal?.throwIfAborted();
  const { relative } = compareOutputs(original, expected, actual);
  if (relative <= (tolerance ?? toleranceFor(exported))) return relative;
  throw contradiction(original, exported, relative);
}

/**
 * Returns the default tolerance: larger for weights that were rounded to fewer bits
 * than the weights of the file.
 */
function toleranceFor({ tensors }: Checkpoint): number {
  const types = new Set([...tensors.values()].map(({ dtype }) => dtype));
  if (types.has("f8e4m3") || types.has("f8e5m2")) return 0.5;
  if (types.has("bf16")) return 0.05;
  return types.has("f16") ? 0.01 : 1e-3;
}

async function run(
  engine: Engine,
  graph: Graph,
  feeds: ReadonlyMap<string, Tensor>,
): Promise<Map<string, Tensor>> {
  const session = await engine.load(graph);
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

function contradiction({ name }: Graph, { source }: Checkpoint, error: number): MismatchError {
  return new MismatchError(
    `Cannot use graph "${name}" for "${source}" as its file, run as it is, must compute what the checkpoint does: outputs differ by ${error.toExponential(1)} (relative); export it again from this checkpoint`,
    { parameters: [] },
  );
}
