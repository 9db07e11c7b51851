import type { Checkpoint } from "@isthmus/core";
import {
  type Derivation,
  discoverLinearSymmetries,
  type LinearSymmetries,
  type SymmetrySpec,
  type VerifyLinearResult,
  type VerifySymmetriesResult,
  verifyLinearSymmetries,
  verifySymmetries,
} from "@isthmus/symmetry";
import { narrowLarge } from "./narrow-large.ts";
import type { Architecture } from "./open-architecture.ts";

/** Symmetries to prove, and a network to prove them on where there is one. */
export interface Provable extends Architecture {
  readonly symmetries: Derivation | SymmetrySpec;
  /** Symmetries beyond permutation of the same graph; unknown for a list of one's own. */
  readonly linear: LinearSymmetries | undefined;
  /** Weights to prove them on. @defaultValue random ones */
  readonly weights: Checkpoint | undefined;
}

/** The specification of symmetries that were derived or written down. */
export function specOf(symmetries: Derivation | SymmetrySpec): SymmetrySpec {
  return "spec" in symmetries ? symmetries.spec : symmetries;
}

/** What was found out by trying. */
export interface SymmetryProof extends VerifySymmetriesResult {
  /** Whether the network was too large to be run, and a small one of the same structure was run in its place. */
  readonly narrowed: boolean;
  /** The same of scales, signs and rotations. */
  readonly linear: readonly VerifyLinearResult[];
}

/** Proves symmetries on every value of a graph, with the weights of a network or random ones. */
export async function proveSymmetries(
  provable: Provable,
  { seed, signal }: { readonly seed: number; readonly signal: AbortSignal },
): Promise<SymmetryProof> {
  const { graph, engine, symmetries, linear, weights } = provable;
  const small = "spec" in symmetries ? await narrowLarge(provable, signal) : undefined;
  if (small !== undefined) {
    const result = await verifySymmetries(small.graph, engine, small.symmetries, { seed, signal });
    const found = {
      derivation: small.symmetries,
      linear: await discoverLinearSymmetries(small.graph, engine, small.symmetries, { signal }),
    };
    const beyond = await verifyLinearSymmetries(small.graph, engine, found, { seed, signal });
    return withLinear({ ...result, narrowed: true }, beyond);
  }
  const own = await verifySymmetries(graph, engine, symmetries, { seed, weights, signal });
  const found = "spec" in symmetries && linear !== undefined ? { derivation: symmetries, linear } : undefined;
  const beyond =
    found === undefined ? [] : await verifyLinearSymmetries(graph, engine, found, { seed, weights, signal });
  return withLinear({ ...own, narrowed: false }, beyond);
}

/** The proof with that of scales, signs and rotations: it passes if all do. */
function withLinear(
  proof: Omit<SymmetryProof, "linear">,
  linear: readonly VerifyLinearResult[],
): SymmetryProof {
  return { ...proof, passed: proof.passed && linear.every(({ passed }) => passed), linear };
}
