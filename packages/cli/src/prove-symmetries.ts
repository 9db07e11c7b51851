import {
  applyBinding,
  bindSpec,
  type Derivation,
  type Graph,
  permute,
  randomAlignment,
  type SymmetrySpec,
  type VerifySymmetriesResult,
  verifyAlignment,
  verifySymmetries,
} from "@isthmus/graph";
import type { BoundNetwork } from "./bind-network.ts";
import type { Architecture } from "./open-architecture.ts";

/** Symmetries to prove, and a network to prove them on where there is one. */
export interface Provable extends Architecture {
  readonly symmetries: Derivation | SymmetrySpec;
  readonly network: BoundNetwork | undefined;
}

/** The specification of symmetries that were derived or written down. */
export function specOf(symmetries: Derivation | SymmetrySpec): SymmetrySpec {
  return "spec" in symmetries ? symmetries.spec : symmetries;
}

/**
 * Proves symmetries on every value of a graph and, where a checkpoint has other names than the graph, on the outputs of the
 * checkpoint permuted by its own names.
 */
export async function proveSymmetries(
  { graph, engine, symmetries, network }: Provable,
  { seed, signal }: { readonly seed: number; readonly signal: AbortSignal },
): Promise<VerifySymmetriesResult> {
  const weights = network?.weights;
  const result = await verifySymmetries(graph, engine, symmetries, { seed, weights, signal });
  if (!result.passed || network === undefined || network.binding.renamed.length === 0) return result;
  const bound = bindSpec(specOf(symmetries), network);
  const permuted = permute(randomAlignment(bound, seed), network.checkpoint, bound);
  const after = applyBinding(graph, network.binding, permuted);
  const own = await verifyAlignment(graph, engine, [network.weights, after], { seed, signal });
  return own.passed ? result : withFailure(graph, result, own.maxRelativeError);
}

function withFailure(graph: Graph, result: VerifySymmetriesResult, error: number): VerifySymmetriesResult {
  const value = graph.outputs[0]?.name ?? "";
  const failure = { value, node: `"${value}" of the checkpoint itself`, error, predictable: true };
  return { ...result, passed: false, maxRelativeError: error, worst: failure, firstFailure: failure };
}
