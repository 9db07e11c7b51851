import {
  at,
  type Checkpoint,
  DTYPES,
  defineCheckpoint,
  entry,
  formatShape,
  fromFloat32Into,
  MismatchError,
  OutOfRangeError,
  sameShape,
  sizeOf,
  strideTable,
  toFloat32,
} from "@isthmus/core";
import { type FactorRuns, multiplyRunsInPlace } from "../kernels/multiply-runs.ts";
import { spread } from "../labels/field.ts";
import type { DiagonalSymmetry, FactorField, FactorLayout } from "./linear-symmetries.ts";

/**
 * Multiplies the units of a network: the result computes the same function. Lazy: a tensor is multiplied when
 * it is read.
 *
 * @param factors - number for each variable, `[variables]`: positive for scales, 1 or -1 for signs
 * @throws OutOfRangeError if there are not as many factors as variables, or one is out of range
 * @throws MismatchError if the checkpoint lacks a weight, or the shape of a weight differs
 */
export function multiplyUnits(
  checkpoint: Checkpoint,
  symmetry: DiagonalSymmetry,
  factors: Float64Array,
): Checkpoint {
  assertFactors(symmetry, factors);
  assertLayouts(checkpoint, symmetry);
  return defineCheckpoint({
    source: `${checkpoint.source} (${symmetry.kind === "scale" ? "scaled" : "with signs changed"})`,
    tensors: checkpoint.tensors,
    metadata: checkpoint.metadata,
    inputs: [checkpoint],
    async readInto(name, begin, out) {
      await checkpoint.readRangeInto(name, begin, out);
      const layout = symmetry.weights.get(name);
      const dtype = checkpoint.tensors.get(name)?.dtype ?? "f32";
      if (layout === undefined || !DTYPES[dtype].float) return;
      const values = dtype === "f32" && out instanceof Float32Array ? out : toFloat32(out, dtype);
      multiplyInPlace(values, begin, layout, factors);
      if (values !== out) fromFloat32Into(values, dtype, out);
    },
  });
}

function assertFactors({ kind, variables }: DiagonalSymmetry, factors: Float64Array): void {
  if (factors.length !== variables) {
    throw new OutOfRangeError(
      `Cannot multiply units as there must be a factor for each variable: ${factors.length} for ${variables}`,
    );
  }
  const allowed = (factor: number): boolean =>
    kind === "sign" ? Math.abs(factor) === 1 : factor > 0 && Number.isFinite(factor);
  const wrong = factors.findIndex((factor) => !allowed(factor));
  if (wrong < 0) return;
  throw new OutOfRangeError(
    `Cannot multiply units as factors must be ${kind === "sign" ? "1 or -1" : "positive"}: number ${wrong} is ${factors[wrong]}`,
  );
}

function assertLayouts(checkpoint: Checkpoint, { weights }: DiagonalSymmetry): void {
  for (const [name, { shape }] of weights) {
    const info = checkpoint.tensors.get(name);
    if (info !== undefined && sameShape(info.shape, shape)) continue;
    const got = info === undefined ? "there is none" : formatShape(info.shape);
    throw new MismatchError(
      `Cannot multiply the units of "${checkpoint.source}" as "${name}" must have the shape of the graph: ${formatShape(shape)} and ${got}`,
      { parameters: [name] },
    );
  }
}

/**
 * Multiplies elements `[begin, begin + values.length)` of a weight by the factors that lie on them, around
 * the origin of the weight.
 */
export function multiplyInPlace(
  values: Float32Array | Float64Array,
  begin: number,
  layout: FactorLayout,
  factors: Float64Array,
): void {
  multiplyAllInPlace(values, begin, [{ layout, factors }]);
}

/** Factors of a tensor, and where they lie in it. */
export interface LaidFactors {
  /** Layout of the variables. */
  readonly layout: FactorLayout;
  /** Number for each variable, `[variables]`. */
  readonly factors: Float64Array;
}

/**
 * Multiplies a part of a tensor, as {@link multiplyInPlace} does, by several factors one after the other.
 * Factors that lie on the same axes are multiplied with each other first, so that they take one pass.
 */
export function multiplyAllInPlace(
  values: Float32Array | Float64Array,
  begin: number,
  all: readonly LaidFactors[],
): void {
  const passes: FactorRuns[] = [];
  for (const laid of all) {
    const earlier = passes.slice();
    for (const field of laid.layout.fields) {
      const table = tableOf(field.variables, laid.factors);
      if (isAllOnes(table)) continue;
      const runs = runsOf(laid.layout, field, table);
      const same = earlier.find((pass) => liesLike(pass, runs));
      if (same === undefined) passes.push(runs);
      else
        runs.factors.forEach((factor, run) => {
          same.factors[run] = (same.factors[run] as number) * factor;
        });
    }
  }
  for (const pass of passes) {
    if (!isAllOnes(pass.factors)) multiplyRunsInPlace(values, begin, pass);
  }
}

/** Lays factors, one for each position of a field, along the runs of elements that they multiply. */
function runsOf(
  { view, origin = 0 }: FactorLayout,
  { axes, variables }: FactorField,
  table: Float64Array,
): FactorRuns {
  // Positions over neighbouring axes follow each other, so that no element has to be divided by strides.
  const line = axesBetween(axes);
  const places = spread({ axes, data: strideTable(variables.length, 1) }, view, line);
  const step = sizeOf(view.slice((line.at(-1) ?? -1) + 1));
  const ofRuns = new Float64Array(places.length);
  for (let run = 0; run < places.length; run++) ofRuns[run] = table[places[run] as number] as number;
  return { step, factors: ofRuns, origin };
}

function liesLike(one: FactorRuns, other: FactorRuns): boolean {
  return (
    one.step === other.step && one.factors.length === other.factors.length && one.origin === other.origin
  );
}

function isAllOnes(factors: Float64Array): boolean {
  for (const factor of factors) if (factor !== 1) return false;
  return true;
}

/** Lists the axes from the first to the last of some. */
function axesBetween(axes: readonly number[]): number[] {
  const [first, last] = [axes.at(0), axes.at(-1)];
  if (first === undefined || last === undefined) return [];
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

function tableOf(variables: FactorField["variables"], factors: Float64Array): Float64Array {
  const table = new Float64Array(variables.length).fill(1);
  for (let i = 0; i < table.length; i++) {
    const variable = variables[i] as number;
    if (variable === 0) continue;
    const factor = factors[Math.abs(variable) - 1] as number;
    table[i] = variable > 0 ? factor : 1 / factor;
  }
  return table;
}

/** Creates a function that returns the position over some axes at which an element of a tensor lies. */
export function positionIn(shape: readonly number[], axes: readonly number[]): (element: number) => number {
  const strides = new Map<number, number>();
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides.set(axis, stride);
    stride *= at(shape, axis, "axis");
  }
  const placing = (axis: number): readonly [number, number] => [
    entry(strides, axis, "axis"),
    at(shape, axis, "axis"),
  ];
  const [only, ...others] = axes;
  if (only !== undefined && others.length === 0) {
    const [step, extent] = placing(only);
    return (element) => Math.floor(element / step) % extent;
  }
  const parts = axes.map(placing);
  return (element) => {
    let position = 0;
    for (const [step, extent] of parts) position = position * extent + (Math.floor(element / step) % extent);
    return position;
  };
}
