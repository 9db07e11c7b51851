import { type Checkpoint, DTYPES, type DType, sizeOf, UnsupportedError } from "@isthmus/core";
import type { Architecture, Graph } from "@isthmus/graph";
import {
  type ContinuousSymmetries,
  type LinearKind,
  type LinearSymmetries,
  narrowLarge,
  proveTogether,
  type Symmetries,
  shrinkExamples,
  VERIFY_ALIGNMENT_DEFAULTS,
  type VerifySymmetriesOptions,
  verifyAlignment,
  verifyExchanges,
  verifyLinearSymmetries,
  verifyMixing,
  verifySymmetries,
} from "@isthmus/symmetry";
import { readAsFloats } from "../normalize/float-network.ts";

/**
 * Largest change of an output by rounding all weights to a narrow type, relative to the output's largest
 * element.
 */
const ROUNDED: Partial<Record<DType, number>> = { f16: 2 ** -8, bf16: 2 ** -5 };

/** Largest change of an output by rounding to types of 8 bits and fewer. */
const ROUNDED_FURTHER = 2 ** -2;

/** Number of weights from which outputs are compared on few examples. */
const MANY_WEIGHTS = 2 ** 24;

/**
 * Examples that outputs of a network of many weights are compared on: a wrong place of a weight changes the
 * outputs of every random example, and more of them would take as long as matching the weights.
 */
const FEW_EXAMPLES = 2;

/** Symmetries beyond permutation that are undone, and their kinds. */
export interface Normalizing {
  /** Kinds that are undone, of the ones in `linear`. */
  readonly kinds: readonly LinearKind[];
  /** Scale, sign and rotation symmetries that were discovered in the graph, of all kinds. */
  readonly linear: LinearSymmetries;
}

/** Symmetries by which an alignment was found. */
export interface ProvenGroup {
  /** Permutation symmetries of the graph, with its values and their labels. */
  readonly symmetries: Symmetries;
  /** Symmetries that are undone beyond permutation; none if absent. */
  readonly normalizing?: Normalizing | undefined;
  /** Symmetries by which spaces are mixed; none if absent. */
  readonly mixed?: ContinuousSymmetries | undefined;
}

/** Result of the proof that aligning keeps the function of a network. */
export interface Verification {
  /**
   * Whether the outputs before and after agree within the tolerance; a failed proof throws, so it is always
   * true.
   */
  readonly passed: boolean;
  /** Largest error of any value inside the network, or of its outputs. */
  readonly maxRelativeError: number;
  /**
   * Whether the network was too large to be run, and a small one of the same structure was run in its
   * place.
   */
  readonly narrowed: boolean;
}

/** Options of {@link proveAlignment}. */
export interface ProveAlignmentOptions {
  /** Seed of the random permutations and inputs that the network is run with. */
  readonly seed: number;
  /**
   * `values` proves the symmetries on every value inside the network and then compares the outputs;
   * `outputs` only compares the
   * outputs, for symmetries that were proved before.
   * @defaultValue "values"
   */
  readonly proof?: "values" | "outputs";
  /** Largest difference of an output, relative to its largest element. @defaultValue 1e-4 */
  readonly tolerance?: number;
  /** Signal that stops the proof. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Proves that neither the symmetries of a network nor an alignment by them change what it computes, by
 * running it: every value
 * inside is compared, and the outputs of the network before and after.
 *
 * A network built from a config that has more than 2^27 weights is not run: its symmetries are proved on a
 * narrowed one of random
 * weights, whose structure and rules are the same. Others are run on small examples if the config allows
 * them; only values that are scaled, rotated or mixed are compared on examples of full size.
 * @param networks - the network before and after it was aligned
 * @throws UnsupportedError if the computed values differ
 */
export async function proveAlignment(
  architecture: Architecture,
  group: ProvenGroup,
  [before, after]: readonly [Checkpoint, Checkpoint],
  { seed, proof = "values", tolerance = VERIFY_ALIGNMENT_DEFAULTS.tolerance, signal }: ProveAlignmentOptions,
): Promise<Verification> {
  const { engine } = architecture;
  const small = await narrowLarge(architecture, signal);
  if (small !== undefined) {
    const tried = { seed, signal };
    const errors = [
      await provePermutations(small.graph, small.symmetries, engine, tried),
      await proveExchanges(small.graph, small.symmetries, engine, tried),
    ];
    return { passed: true, maxRelativeError: Math.max(...errors), narrowed: true };
  }
  const options = { seed, weights: before, signal };
  const { graph, symmetries } = await shrinkExamples(architecture, group.symmetries, signal);
  const permutesOnly = group.normalizing === undefined && group.mixed === undefined;
  const proven = permutesOnly ? { ...architecture, graph } : architecture;
  const errors =
    proof === "outputs"
      ? []
      : [
          ...(await proveValues(proven, permutesOnly ? { symmetries } : group, options)),
          await proveExchanges(graph, symmetries, engine, options),
        ];
  const batch = hasManyWeights(graph) ? FEW_EXAMPLES : VERIFY_ALIGNMENT_DEFAULTS.batch;
  const outputs = await verifyAlignment({ graph, engine }, [before, after], {
    seed,
    batch,
    tolerance,
    signal,
  });
  if (!outputs.passed) throw changedFunction(graph.name, "the output", outputs.maxRelativeError);
  return { passed: true, maxRelativeError: Math.max(...errors, outputs.maxRelativeError), narrowed: false };
}

/**
 * Proves the symmetries of an alignment on every value inside the network: all together, which holds neither
 * all values nor changed copies of the network, and kind by kind only if some value then differs. Returns the
 * largest relative errors.
 */
async function proveValues(
  architecture: Architecture,
  group: ProvenGroup,
  options: VerifySymmetriesOptions,
): Promise<readonly number[]> {
  const { symmetries, normalizing, mixed } = group;
  const together = await proveTogether(
    architecture,
    {
      permutations: symmetries,
      linear: normalizing?.linear ?? mixed?.linear,
      kinds: normalizing?.kinds ?? [],
      mixing: mixed?.mixing,
    },
    options,
  );
  if (together !== undefined) {
    const { permutations, linear, mixing } = together;
    return [permutations, ...linear, ...(mixing === null ? [] : [mixing])].map((one) => one.maxRelativeError);
  }
  return [
    await provePermutations(architecture.graph, symmetries, architecture.engine, options),
    await proveLinear(architecture, group, options),
    await proveMixing(architecture, group, options),
  ];
}

/** Checks whether a network has so many weights that running it takes long. */
function hasManyWeights({ weights }: Graph): boolean {
  let count = 0;
  for (const { shape } of weights.values()) count += sizeOf(shape);
  return count >= MANY_WEIGHTS;
}

/** Returns the largest relative error of any value under random permutations. */
async function provePermutations(
  graph: Graph,
  symmetries: Symmetries,
  engine: Architecture["engine"],
  options: VerifySymmetriesOptions,
): Promise<number> {
  const { firstFailure, maxRelativeError } = await verifySymmetries({ graph, engine }, symmetries, options);
  if (firstFailure !== undefined) throw changedFunction(graph.name, firstFailure.node, firstFailure.error);
  return maxRelativeError;
}

/** Returns the largest relative error of a sum of parts that change places, such as experts; or 0. */
async function proveExchanges(
  graph: Graph,
  { whole }: Symmetries,
  engine: Architecture["engine"],
  options: VerifySymmetriesOptions,
): Promise<number> {
  const exchanges = whole?.joined?.exchanges ?? [];
  if (exchanges.length === 0) return 0;
  const { seed, weights, signal } = options;
  const result = await verifyExchanges({ graph, engine }, exchanges, { seed, weights, signal });
  if (result.passed) return result.maxRelativeError;
  throw changedFunction(graph.name, "a sum of parts that change places", result.maxRelativeError);
}

/** Verifies scale, sign and rotation symmetries; returns the largest relative error, 0 if none are used. */
async function proveLinear(
  { graph, engine }: Architecture,
  { symmetries, normalizing }: ProvenGroup,
  options: VerifySymmetriesOptions,
): Promise<number> {
  if (normalizing === undefined) return 0;
  const { kinds, linear } = normalizing;
  const both = { permutations: symmetries, linear };
  const results = await verifyLinearSymmetries({ graph, engine }, both, { ...options, kinds });
  for (const { firstFailure } of results) {
    if (firstFailure !== undefined) throw changedFunction(graph.name, firstFailure.node, firstFailure.error);
  }
  return Math.max(0, ...results.map(({ maxRelativeError }) => maxRelativeError));
}

/** Verifies rotations of streams and maps of heads; returns the largest relative error, or 0. */
async function proveMixing(
  { graph, engine }: Architecture,
  { symmetries, mixed }: ProvenGroup,
  options: VerifySymmetriesOptions,
): Promise<number> {
  if (mixed === undefined) return 0;
  const group = { permutations: symmetries, ...mixed };
  const { firstFailure, maxRelativeError } = await verifyMixing({ graph, engine }, group, options);
  if (firstFailure !== undefined) throw changedFunction(graph.name, firstFailure.node, firstFailure.error);
  return maxRelativeError;
}

function changedFunction(graph: string, node: string, error: number): UnsupportedError {
  return new UnsupportedError(
    `Cannot align with graph "${graph}" as aligning must not change what it computes: ${node} differs by ${error}; please report this graph`,
    { feature: node },
  );
}

/**
 * Returns the largest difference allowed between the outputs of a network before and after it is moved.
 * Weights of 16 bits are rounded once after they are moved, which changes outputs more than rounding in 32
 * bits does: the network is then first moved in 32 bits, and proved like any other.
 *
 * @param move - moves a network, as the one that is proved was moved
 * @throws UnsupportedError if the network computes something else in 32 bits
 */
export async function roundingTolerance(
  architecture: Architecture,
  network: Checkpoint,
  move: (network: Checkpoint) => Promise<Checkpoint>,
  options: { readonly seed: number; readonly signal?: AbortSignal | undefined },
): Promise<number> {
  const { tolerance } = VERIFY_ALIGNMENT_DEFAULTS;
  const rounded = roundedTolerance(network, tolerance);
  if (rounded === tolerance) return tolerance;
  const wide = await readAsFloats(network);
  const exact = await verifyAlignment(architecture, [wide, await move(wide)], options);
  if (!exact.passed) {
    throw new UnsupportedError(
      `Cannot align "${network.source}" as aligning must not change what it computes: in 32 bits the output differs by ${exact.maxRelativeError}; please report this network`,
      { feature: "alignment" },
    );
  }
  return rounded;
}

/**
 * Returns the largest change of an output that rounding the weights of a network to its element types anew
 * explains, relative to the output's largest element: the given tolerance without types below 32 bits.
 */
export function roundedTolerance({ tensors }: Pick<Checkpoint, "tensors">, tolerance: number): number {
  const dtypes = new Set([...tensors.values()].map(({ dtype }) => dtype));
  const narrow = [...dtypes].filter((dtype) => DTYPES[dtype].float && DTYPES[dtype].bytes < 4);
  return Math.max(tolerance, ...narrow.map((dtype) => ROUNDED[dtype] ?? ROUNDED_FURTHER));
}
