import {
  asFloat32,
  type Checkpoint,
  createCheckpoint,
  createRandom,
  type Random,
  resolveOptions,
  type Tensor,
} from "@isthmus/core";
import {
  type Architecture,
  bindWeights,
  type Graph,
  randomInputs,
  runAll,
  withSharedSessions,
} from "@isthmus/graph";
import type { Symmetries } from "../derive-spec.ts";
import { type MixingMatrix, type Mixture, mixInPlace } from "../mixing/mix-units.ts";
import { occurrencesOf } from "../mixing/occurrences.ts";
import { randomMixture } from "../mixing/random-mixture.ts";
import { randomOrthogonal } from "../mixing/random-orthogonal.ts";
import type { SymmetrySpec } from "../spec.ts";
import { compareInPlace } from "../verify/compare-values.ts";
import { measureSensitivity } from "../verify/measure-sensitivity.ts";
import { summarizeErrors, type ValueError, type ValueSummary } from "../verify/summarize-errors.ts";
import { trialWeights, VALUE_TRIAL_DEFAULTS, type ValueTrialOptions } from "../verify/trial-options.ts";
import { LINEAR_KINDS, type LinearKind } from "./factor-algebra.ts";
import type { DiagonalSymmetry, LinearSymmetries } from "./linear-symmetries.ts";
import { type LaidFactors, multiplyAllInPlace, multiplyUnits } from "./multiply-units.ts";
import { mixCells } from "./rotate-units.ts";

/** Options of {@link verifyLinearSymmetries}. */
export interface VerifyLinearOptions extends ValueTrialOptions {
  /** Kinds to verify; kinds without symmetries are skipped. @defaultValue all */
  readonly kinds?: readonly LinearKind[];
}

/** Defaults of {@link VerifyLinearOptions}; the seed has none. */
const VERIFY_LINEAR_DEFAULTS: Required<Omit<VerifyLinearOptions, "seed">> = {
  ...VALUE_TRIAL_DEFAULTS,
  kinds: LINEAR_KINDS,
};

/** Result of {@link verifyLinearSymmetries} for one kind. */
export interface VerifyLinearResult extends ValueSummary {
  /** Kind of the symmetries that were tried. */
  readonly kind: LinearKind;
}

/**
 * Number of random elements that each kind is tried with: each detects two signs that hold only together with
 * a chance of 1/2.
 */
export const TRIALS: Readonly<Record<LinearKind, number>> = { scale: 1, sign: 3, rotation: 1 };

/**
 * Proves symmetries beyond permutation by trying them, kind by kind: transforms the weights by random
 * elements of each and compares every value that the graph computes with its prediction: multiplied, mixed,
 * or unchanged.
 *
 * @param symmetries - the symmetries, and the permutation symmetries that they were discovered with
 * @throws MismatchError if the weights do not fit the graph
 * @throws EngineError if the engine cannot run the graph
 */
export async function verifyLinearSymmetries(
  { graph, engine }: Architecture,
  symmetries: { readonly permutations: Symmetries; readonly linear: LinearSymmetries },
  options: VerifyLinearOptions,
): Promise<readonly VerifyLinearResult[]> {
  // One session runs the graph with all weights.
  return withSharedSessions(engine, (shared) => verify({ graph, engine: shared }, symmetries, options));
}

async function verify(
  { graph, engine }: Architecture,
  symmetries: { readonly permutations: Symmetries; readonly linear: LinearSymmetries },
  options: VerifyLinearOptions,
): Promise<readonly VerifyLinearResult[]> {
  const { seed, ...rest } = options;
  const resolved = resolveOptions("verify symmetries", VERIFY_LINEAR_DEFAULTS, rest, ["seed"]);
  const { weights, signal } = resolved;
  const { scales, signs, rotations } = symmetries.linear;
  const counts = { scale: scales.variables, sign: signs.variables, rotation: rotations.length };
  const kinds = resolved.kinds.filter((kind) => counts[kind] > 0);
  const bound = await trialWeights(graph, { weights, seed });
  const inputs = randomInputs(graph, symmetries.permutations.batch, seed);
  const before = await runAll(graph, engine, new Map([...inputs, ...bound]));
  const results: VerifyLinearResult[] = [];
  for (const kind of kinds) {
    const errors: ValueError[] = [];
    for (let trial = 0; trial < TRIALS[kind]; trial++) {
      signal?.throwIfAborted();
      const drawn = { seed: seed + trial, kinds: [kind] };
      const element = randomElement(symmetries.linear, drawn);
      const moved = transformBy(
        createCheckpoint(bound),
        symmetries.permutations.spec,
        symmetries.linear,
        element,
      );
      const after = await runAll(graph, engine, new Map([...inputs, ...(await bindWeights(graph, moved))]));
      errors.push(...compareValues(graph, [before, after], symmetries.linear, element));
    }
    let summary = summarizeErrors(graph, resolved, errors, new Map());
    if (!summary.passed) {
      const network = { inputs, weights: bound, values: before };
      summary = summarizeErrors(
        graph,
        resolved,
        errors,
        await measureSensitivity(graph, engine, network, seed),
      );
    }
    results.push({ kind, ...summary, tensors: errors.length / TRIALS[kind] });
  }
  return results;
}

/** Computes the errors of all values, in the order of computation. */
function compareValues(
  graph: Graph,
  [before, after]: readonly [ReadonlyMap<string, Tensor>, ReadonlyMap<string, Tensor>],
  linear: LinearSymmetries,
  element: LinearElement,
): ValueError[] {
  const named = graph.nodes.flatMap(({ name, outputs }) => outputs.map((value) => ({ value, node: name })));
  return named.flatMap(({ value, node }): ValueError[] => {
    const [one, two] = [before.get(value), after.get(value)];
    if (one === undefined || two === undefined) return [];
    const error = compareInPlace(predict(value, one, linear, element), two);
    return [{ value, node, error, predictable: true }];
  });
}

/** Predicts a value after the weights are transformed. */
function predict(value: string, tensor: Tensor, linear: LinearSymmetries, element: LinearElement): Tensor {
  const data = asFloat32(tensor.data, tensor.dtype).slice();
  predictLinearInPlace(value, data, linear, element);
  return { ...tensor, dtype: "f32", data };
}

/**
 * Changes the elements of a value of a network into the elements that the network computes after its weights
 * are transformed by an element of the symmetries beyond permutation.
 */
export function predictLinearInPlace(
  value: string,
  data: Float32Array,
  linear: LinearSymmetries,
  element: LinearElement,
): void {
  multiplyAllInPlace(data, 0, factorsOf(value, linear, element));
  const rotated = linear.rotatedValues.get(value);
  if (rotated && element.rotations) {
    mixInPlace(data, occurrencesOf(rotated, linear.rotations), element.rotations);
  }
}

/** Lists the scales and signs of an element that lie on a value. */
function factorsOf(
  value: string,
  { scales, signs }: LinearSymmetries,
  element: LinearElement,
): LaidFactors[] {
  const pairs = [
    [scales.values.get(value), element.scales],
    [signs.values.get(value), element.signs],
  ] as const;
  return pairs.flatMap(([layout, factors]) => (layout && factors ? [{ layout, factors }] : []));
}

/** Largest random scale; the smallest is its inverse. */
const LARGEST_SCALE = 2;

/**
 * An element of the symmetries beyond permutation: scales, then signs, then rotations; kinds that are left
 * out change nothing.
 */
export interface LinearElement {
  /** Positive number for each variable of scales, `[variables]`. */
  readonly scales?: Float64Array | undefined;
  /** 1 or -1 for each variable of signs, `[variables]`. */
  readonly signs?: Float64Array | undefined;
  /** Orthogonal matrix for each cell that may be rotated. */
  readonly rotations?: Mixture<MixingMatrix> | undefined;
}

/**
 * Draws a random element by which symmetries are proved: all units are scaled, negated by chance, and all
 * cells rotated, for the kinds that are chosen. Rotations are reflections along a random direction, which
 * prove as much as any other (see `randomMixture`).
 */
export function randomElement(
  { scales, signs, rotations }: LinearSymmetries,
  { seed, kinds }: ElementOptions,
): LinearElement {
  const draw = (symmetry: DiagonalSymmetry, next: (random: Random) => number): Float64Array | undefined => {
    if (!kinds.includes(symmetry.kind)) return undefined;
    const random = createRandom(seed, symmetry.kind);
    return Float64Array.from({ length: symmetry.variables }, () => next(random));
  };
  return {
    scales: draw(scales, (next) => LARGEST_SCALE ** (2 * next.uniform() - 1)),
    signs: draw(signs, (next) => (next.uniform() < 0.5 ? -1 : 1)),
    rotations: kinds.includes("rotation")
      ? randomMixture(
          rotations.map((space) => ({ ...space, group: "orthogonal" })),
          seed,
        )
      : undefined,
  };
}

/** Options of a random element. */
interface ElementOptions {
  /** Seed of the element. */
  readonly seed: number;
  /** Kinds of symmetries that it uses. */
  readonly kinds: readonly LinearKind[];
}

/**
 * Transforms a network by a random element of the symmetries beyond permutation: all units are scaled,
 * negated by chance, and all cells rotated by matrices that are uniform among the orthogonal ones, for the
 * kinds that are chosen. The result computes the same function.
 *
 * @param spec - the permutation symmetries whose cells the rotations mix
 * @throws MismatchError if the checkpoint does not fit the graph they were discovered in
 */
export function transformRandomly(
  checkpoint: Checkpoint,
  spec: SymmetrySpec,
  symmetries: LinearSymmetries,
  { seed, kinds }: ElementOptions,
): Checkpoint {
  const random = createRandom(seed, "rotation");
  const matrices = kinds.includes("rotation")
    ? symmetries.rotations.map(({ size }) => randomOrthogonal(size, random))
    : [];
  const rotations = matrices.length === 0 ? undefined : { matrices, inverses: matrices };
  const diagonal = kinds.filter((kind) => kind !== "rotation");
  return transformBy(checkpoint, spec, symmetries, {
    ...randomElement(symmetries, { seed, kinds: diagonal }),
    rotations,
  });
}

/**
 * Transforms a network by an element of the symmetries beyond permutation. The result computes the same
 * function.
 *
 * @param spec - the permutation symmetries whose cells the rotations mix
 * @throws MismatchError if the checkpoint does not fit the graph they were discovered in
 */
export function transformBy(
  checkpoint: Checkpoint,
  spec: SymmetrySpec,
  symmetries: LinearSymmetries,
  { scales, signs, rotations }: LinearElement,
): Checkpoint {
  const scaled = scales === undefined ? checkpoint : multiplyUnits(checkpoint, symmetries.scales, scales);
  const signed = signs === undefined ? scaled : multiplyUnits(scaled, symmetries.signs, signs);
  return rotations === undefined ? signed : mixCells(signed, spec, symmetries.rotations, rotations);
}
