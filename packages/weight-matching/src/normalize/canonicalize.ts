import { at, type Checkpoint, entry, resolveOptions } from "@isthmus/core";
import {
  type DiagonalSymmetry,
  LINEAR_KINDS,
  type LinearKind,
  placesOf,
  type Rotation,
  type RotationSpace,
} from "@isthmus/symmetry";
import { groupVariables, multiplyInPlace, positionIn } from "@isthmus/symmetry/layout";
import { balanceScales } from "./balance-scales.ts";
import { readAsFloats } from "./float-network.ts";
import type { FoundSymmetries } from "./found-symmetries.ts";
import { applySteps, factorStep, type LinearStep, rotationStep } from "./linear-steps.ts";
import { aroundZero, readSubjects, type Subjects } from "./read-subjects.ts";
import { diagonalizeRotations, rotationProducts, type UsePlace } from "./rotations.ts";

/** Options of {@link canonicalize}. */
export interface CanonicalizeOptions {
  /** Kinds of symmetries to bring to a canonical form. @defaultValue all kinds */
  readonly kinds?: readonly LinearKind[];
}

/** Defaults of {@link CanonicalizeOptions}. */
const CANONICALIZE_DEFAULTS: Required<CanonicalizeOptions> = { kinds: LINEAR_KINDS };

/** Result of {@link canonicalize}. */
export interface CanonicalizeResult {
  /** Network that computes the same, with its units in canonical form; f32, in memory. */
  readonly network: Checkpoint;
  /** Function that applies the changes of this network to any other. */
  readonly apply: (network: Checkpoint) => Promise<Checkpoint>;
  /** Function that reverts the changes of this network on any other. */
  readonly undo: (network: Checkpoint) => Promise<Checkpoint>;
}

/**
 * Brings a network to a canonical form under symmetries beyond permutation: cells rotated so that their units
 * are orthogonal, units scaled so that norms in front and behind are equal, and negated so that the sums in
 * front are not negative. If cells are both scaled and rotated, which together is any invertible matrix,
 * their units are balanced as a whole: products of units in front equal those behind.
 *
 * Two networks that differ by scales, signs or rotations have forms that differ by permutations only, up to
 * cells whose units have equal norms. The network computes the same as before.
 *
 * @param symmetries - the permutation symmetries and those beyond of the network's graph
 * @throws InputError if a weight is NaN or infinite; it is named
 * @throws MismatchError if the checkpoint does not fit the graph they were discovered in
 */
export async function canonicalize(
  checkpoint: Checkpoint,
  symmetries: FoundSymmetries,
  options: CanonicalizeOptions = {},
): Promise<CanonicalizeResult> {
  const { kinds } = resolveOptions("bring a network to a canonical form", CANONICALIZE_DEFAULTS, options);
  const { spec, linear } = symmetries;
  const steps: LinearStep[] = [];
  let network = await readAsFloats(checkpoint);
  const take = async (step: LinearStep): Promise<void> => {
    steps.push(step);
    network = await step.apply(network);
  };
  const [scales, signs, rotations] = [linear.scales, linear.signs, linear.rotations];
  const rotates = kinds.includes("rotation") && rotations.length > 0;
  if (rotates && kinds.includes("scale")) {
    const { turned, factors } = await balanceCells(network, symmetries);
    await take(rotationStep(spec, turned));
    await take(factorStep(scales, factors));
  }
  if (rotates) await take(rotationStep(spec, await diagonalizeRotations(network, spec, rotations)));
  if (kinds.includes("scale")) await take(factorStep(scales, await balanceScales(network, scales)));
  if (kinds.includes("sign")) await take(factorStep(signs, await orientSigns(network, signs)));
  return {
    network,
    apply: (other) => applySteps(steps, other),
    async undo(other) {
      let current = other;
      for (const { undo } of steps.toReversed()) current = await undo(current);
      return current;
    },
  };
}

/**
 * Finds the signs with which the weights in front of each unit have a sum that is not negative, layer by
 * layer in the order of the graph: the result depends neither on the signs before nor on the order of units.
 *
 * @returns 1 or -1 for each variable, `[variables]`
 */
async function orientSigns(checkpoint: Checkpoint, units: DiagonalSymmetry): Promise<Float64Array> {
  const subjects = await readSubjects(checkpoint, units);
  const symmetry = aroundZero(units);
  const signs = new Float64Array(symmetry.variables).fill(1);
  for (const group of groupVariables(symmetry)) {
    const sums = sumInFront(subjects, symmetry, group);
    const step = new Float64Array(symmetry.variables).fill(1);
    for (const variable of group) if ((sums[variable] as number) < 0) step[variable] = -1;
    for (const variable of group) signs[variable] = step[variable] as number;
    for (const [name, layout] of symmetry.weights) {
      multiplyInPlace(entry(subjects, name, "weight"), 0, layout, step);
    }
  }
  return signs;
}

/** Sums of the elements of the first weight that each variable of a group lies on. */
function sumInFront(
  subjects: Subjects,
  { variables, weights }: DiagonalSymmetry,
  group: Int32Array,
): Float64Array {
  const sums = new Float64Array(variables);
  const open = new Set(group);
  for (const [name, { view, fields }] of weights) {
    const values = entry(subjects, name, "weight");
    const met = new Set<number>();
    for (const field of fields) {
      const positionOf = positionIn(view, field.axes);
      for (let i = 0; i < values.length; i++) {
        const variable = Math.abs(field.variables[positionOf(i)] as number) - 1;
        if (!open.has(variable)) continue;
        sums[variable] = (sums[variable] as number) + (values[i] as number);
        met.add(variable);
      }
    }
    for (const variable of met) open.delete(variable);
  }
  return sums;
}

/**
 * Finds the rotations and scales after which the products of the units of each cell in front, `F`, equal
 * those behind, `G`: the element of all invertible matrices that makes the sum of squares of the weights
 * least. It is the root of `F^-1/2 (F^1/2 G F^1/2)^1/2 F^-1/2`, of which the eigenvectors are the rotation
 * and the values the scales. Cells whose units are not independent, or are not scaled, are not changed.
 *
 * @see Kempf and Ness, "The length of vectors in representation spaces" (1979): shortest vectors of an orbit
 *   are unique up to rotation
 * @returns a rotation for each cell, and a factor for each variable to be applied after it
 */
async function balanceCells(
  network: Checkpoint,
  { spec, linear }: FoundSymmetries,
): Promise<{ readonly turned: readonly Rotation[]; readonly factors: Float64Array }> {
  const { balanceOf } = await import("./dense-matrices.ts");
  const { scales, rotations } = linear;
  const both: readonly [Checkpoint, Checkpoint] = [network, network];
  const front = await rotationProducts(both, spec, rotations, onSide(scales, 1));
  const behind = await rotationProducts(both, spec, rotations, onSide(scales, -1));
  const variables = variablesOf(scales, spec, rotations);
  const factors = new Float64Array(scales.variables).fill(1);
  const turned: Rotation[] = [];
  rotations.forEach((space, i) => {
    const ofCell = variables[i];
    if (ofCell === undefined) return;
    const balance = balanceOf(at(front, i, "space"), at(behind, i, "space"), space.size);
    if (balance === undefined) return;
    turned.push({ space, matrix: balance.vectors });
    ofCell.forEach((variable, unit) => {
      factors[variable] = Math.sqrt(at(balance.values, unit, "unit"));
    });
  });
  return { turned, factors };
}

/** Takes places that a variable multiplies, or divides. */
function onSide(scales: DiagonalSymmetry, side: 1 | -1): UsePlace {
  return ({ tensor, axes, row }) => {
    const sign = Math.sign(variableAt(scales, { tensor, axes, position: at(row, 0, "position") }));
    return sign === side;
  };
}

/** Returns the variable of a place in a weight, as `FactorField` writes it; 0 if none lies on these axes. */
function variableAt(
  { weights }: DiagonalSymmetry,
  {
    tensor,
    axes,
    position,
  }: { readonly tensor: string; readonly axes: readonly number[]; readonly position: number },
): number {
  const field = weights.get(tensor)?.fields.find((candidate) => candidate.axes.join() === axes.join());
  return field === undefined ? 0 : at(field.variables, position, "position");
}

/**
 * Finds the variable that multiplies each unit of each cell in front; undefined for cells with a unit that
 * has no variable of its own.
 */
function variablesOf(
  scales: DiagonalSymmetry,
  spec: FoundSymmetries["spec"],
  spaces: readonly RotationSpace[],
): (Int32Array | undefined)[] {
  const variablesOfSpaces = spaces.map(({ size }) => new Int32Array(size).fill(-1));
  const rotations = spaces.map((space): Rotation => ({ space, matrix: new Float64Array() }));
  for (const [tensor, layout] of spec.weights) {
    for (const { field, rotation, rows } of placesOf(layout, rotations)) {
      const ofSpace = at(variablesOfSpaces, spaces.indexOf(rotation.space), "space");
      for (const row of rows) {
        row.forEach((position, unit) => {
          const variable = variableAt(scales, { tensor, axes: field.axes, position });
          if (variable > 0) ofSpace[unit] = variable - 1;
        });
      }
    }
  }
  return variablesOfSpaces.map((ofSpace) =>
    ofSpace.every((variable) => variable >= 0) && new Set(ofSpace).size === ofSpace.length
      ? ofSpace
      : undefined,
  );
}
