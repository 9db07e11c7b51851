import { type Checkpoint, createCheckpoint } from "@isthmus/core";
import type { Engine } from "../../engine.ts";
import { bindWeights } from "../../ir/bind-weights.ts";
import type { Graph } from "../../ir/graph.ts";
import { randomWeights } from "../random-weights.ts";
import type { SymmetrySpec } from "../spec.ts";
import { verifyAlignment } from "../verify/verify-alignment.ts";
import { LINEAR_KINDS, type LinearKind } from "./factor-algebra.ts";
import type { LinearSymmetries } from "./linear-symmetries.ts";
import { transformRandomly } from "./random-element.ts";

/** Options of {@link verifyLinearSymmetries}. */
export interface VerifyLinearOptions {
  /** Seed of inputs, transformations, and weights where none are given. */
  readonly seed: number;
  /** Weights to verify with. @defaultValue random ones */
  readonly weights?: Checkpoint | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Result of {@link verifyLinearSymmetries} for one kind. */
export interface VerifyLinearResult {
  readonly kind: LinearKind;
  readonly passed: boolean;
  /** Largest difference of an output relative to its largest element. */
  readonly maxRelativeError: number;
}

/**
 * Proves symmetries beyond permutation by trying them, kind by kind: transforms the weights by a random element of each and
 * compares the outputs.
 *
 * @throws MismatchError if the weights do not fit the graph
 * @throws EngineError if the engine cannot run the graph
 */
export async function verifyLinearSymmetries(
  graph: Graph,
  engine: Engine,
  found: { readonly spec: SymmetrySpec; readonly linear: LinearSymmetries },
  { seed, weights, signal }: VerifyLinearOptions,
): Promise<readonly VerifyLinearResult[]> {
  const bound = weights === undefined ? randomWeights(graph, seed) : await bindWeights(graph, weights);
  const network = createCheckpoint(bound);
  const results: VerifyLinearResult[] = [];
  for (const kind of LINEAR_KINDS) {
    const transformed = transformRandomly(network, found.spec, found.linear, { seed, kinds: [kind] });
    const own = await verifyAlignment(graph, engine, [network, transformed], { seed, signal });
    results.push({ kind, passed: own.passed, maxRelativeError: own.maxRelativeError });
  }
  return results;
}
