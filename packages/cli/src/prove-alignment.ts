import { type Checkpoint, UnsupportedError } from "@isthmus/core";
import { verifyAlignment, verifyLinearSymmetries, verifySymmetries } from "@isthmus/symmetry";
import type { Aligner } from "./aligner.ts";
import { narrowLarge } from "./narrow-large.ts";
import type { Context } from "./verb.ts";

/** How well permuting keeps the function of a network. */
export interface Verification {
  readonly passed: boolean;
  /** Largest error of any value inside the network or of its outputs. */
  readonly maxRelativeError: number;
  /** Whether the network was too large to be run, and a small one of the same structure was run in its place. */
  readonly narrowed: boolean;
}

/**
 * Proves that neither the symmetries of a network nor an alignment by them change what it computes, by running it: every value
 * inside is compared, and the outputs of the network before and after.
 *
 * A network built from a config that has more than 2^27 weights is not run: its symmetries are proved on a narrowed one of random
 * weights, whose structure and rules are the same.
 * @throws UnsupportedError if they do change it
 */
export async function proveAlignment(
  aligner: Aligner,
  [before, after]: readonly [Checkpoint, Checkpoint],
  seed: number,
  { signal }: Pick<Context, "signal">,
): Promise<Verification> {
  const { graph, engine, symmetries } = aligner;
  const small = await narrowLarge(aligner, signal);
  if (small !== undefined) {
    return { passed: true, maxRelativeError: await prove(aligner, small, { seed, signal }), narrowed: true };
  }
  const options = { seed, weights: before, signal };
  const general = Math.max(
    await prove(aligner, { graph, symmetries }, options),
    await proveLinear(aligner, options),
  );
  const own = await verifyAlignment(graph, engine, [before, after], { seed, signal });
  if (!own.passed) throw wrongSymmetries(graph.name, "the output", own.maxRelativeError);
  return { passed: true, maxRelativeError: Math.max(general, own.maxRelativeError), narrowed: false };
}

/** Largest error of any value. */
async function prove(
  { engine }: Aligner,
  { graph, symmetries }: Pick<Aligner, "graph" | "symmetries">,
  options: Parameters<typeof verifySymmetries>[3],
): Promise<number> {
  const { firstFailure, maxRelativeError } = await verifySymmetries(graph, engine, symmetries, options);
  if (firstFailure !== undefined) throw wrongSymmetries(graph.name, firstFailure.node, firstFailure.error);
  return maxRelativeError;
}

/** The same of symmetries beyond permutation, where they are used. */
async function proveLinear(
  { graph, engine, symmetries, normalize }: Aligner,
  options: Parameters<typeof verifyLinearSymmetries>[3],
): Promise<number> {
  if (normalize === undefined) return 0;
  const { kinds, linear } = normalize;
  const found = { derivation: symmetries, linear };
  const results = await verifyLinearSymmetries(graph, engine, found, { ...options, kinds });
  for (const { firstFailure } of results) {
    if (firstFailure !== undefined) throw wrongSymmetries(graph.name, firstFailure.node, firstFailure.error);
  }
  return Math.max(0, ...results.map(({ maxRelativeError }) => maxRelativeError));
}

function wrongSymmetries(graph: string, node: string, error: number): UnsupportedError {
  return new UnsupportedError(
    `Cannot align with graph "${graph}" as aligning must not change what it computes: ${node} differs by ${error}; please report this graph`,
    { feature: node },
  );
}
