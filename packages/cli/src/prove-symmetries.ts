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
import { narrowLarge } from "./narrow-large.ts";
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

/** What was found out by trying. */
export interface SymmetryProof extends VerifySymmetriesResult {
  /** Whether the network was too large to be run, and a small one of the same structure was run in its place. */
  readonly narrowed: boolean;
}

/**
 * Proves symmetries on every value of a graph and, where a checkpoint has other names than the graph, on the outputs of the
 * checkpoint permuted by its own names.
 */
export async function proveSymmetries(
  provable: Provable,
  { seed, signal }: { readonly seed: number; readonly signal: AbortSignal },
): Promise<SymmetryProof> {
  const { graph, engine, symmetries, network } = provable;
  const small = "spec" in symmetries ? await narrowLarge(provable, signal) : undefined;
  if (small !== undefined) {
    const result = await verifySymmetries(small.graph, engine, small.symmetries, { seed, signal });
    return { ...result, narrowed: true };
  }
  const weights = network?.weights;
  const own = await verifySymmetries(graph, engine, symmetries, { seed, weights, signal });
  const result = { ...own, narrowed: false };
  if (!result.passed || network === undefined || network.binding.renamed.length === 0) return result;
  const bound = bindSpec(specOf(symmetries), network);
  const permuted = permute(randomAlignment(bound, seed), network.checkpoint, bound);
  const after = applyBinding(graph, network.binding, permuted);
  const outputs = await verifyAlignment(graph, engine, [network.weights, after], { seed, signal });
  return outputs.passed ? result : withFailure(graph, result, outputs.maxRelativeError);
}

function withFailure(graph: Graph, result: SymmetryProof, error: number): SymmetryProof {
  const value = graph.outputs[0]?.name ?? "";
  const failure = { value, node: `"${value}" of the checkpoint itself`, error, predictable: true };
  return { ...result, passed: false, maxRelativeError: error, worst: failure, firstFailure: failure };
}
