import { at, type Checkpoint, entry, toFloat64 } from "@isthmus/core";
import type { ClientUpdate } from "../updates/client-update.ts";
import type { AggregatePlan, Combination } from "./plan-aggregate.ts";
import {
  createRangeBuffer,
  type RangeBuffer,
  readDisplacement,
  readFloat64Range,
  type TensorRange,
} from "./ranges.ts";

/**
 * Combines the displacements of all clients in a range, summed in the order of their names.
 * @param global - the range of the global network
 * @param carried - aggregate of the round before
 * @returns the change, `[elements]`
 */
export async function combineRange(
  { updates }: Pick<AggregatePlan, "updates">,
  combination: Combination,
  range: TensorRange,
  { global, carried }: { readonly global: Float64Array; readonly carried: Checkpoint | undefined },
): Promise<Float64Array> {
  if (combination.kind === "linear") return sumRange({ updates }, combination, range, { global, carried });
  const change = new Float64Array(global.length);
  const displacements = await Promise.all(updates.map((update) => readDisplacement(update, range, global)));
  // Orders of numbers that are none depend on how they are sorted: there is no aggregate of them.
  if (!displacements.every((values) => values.every(Number.isFinite))) return change.fill(Number.NaN);
  const values = combination.mixture.map((row) => mixRow(row, displacements));
  combination.rule.combineInto(values, combination.parameters, change);
  return change;
}

/** Sums the displacements of a range, each multiplied by its client's weight. */
async function sumRange(
  { updates }: Pick<AggregatePlan, "updates">,
  { weights: common, byTensor, carried: carriedWeight }: Extract<Combination, { readonly kind: "linear" }>,
  range: TensorRange,
  { global, carried }: { readonly global: Float64Array; readonly carried: Checkpoint | undefined },
): Promise<Float64Array> {
  const change = new Float64Array(global.length);
  const weights = byTensor?.get(range.name) ?? common;
  const parts = updates.map((update, k) => ({ update, weight: at(weights, k) }));
  const read = parts.filter(({ weight }) => weight !== 0);
  // While one is added, the next is being read into the other buffer.
  const buffers = [createRangeBuffer(), createRangeBuffer()];
  const start = (k: number) => {
    const part = read[k];
    return part && readClientRange(part.update, range, at(buffers, k & 1));
  };
  let next = start(0);
  for (const [k, { weight }] of read.entries()) {
    const { values, base } = await (next as Promise<ClientRange>);
    next = start(k + 1);
    addDisplacement(values, base ?? global, weight, change);
  }
  if (carried !== undefined && carriedWeight !== 0) {
    addScaled(await readFloat64Range(carried, range), carriedWeight, change);
  }
  return change;
}

/** A range of a client's network, and of the network it began with where that is not the global one. */
interface ClientRange {
  readonly values: Float32Array | Float64Array;
  readonly base: Float64Array | undefined;
}

async function readClientRange(
  { network, base }: ClientUpdate,
  range: TensorRange,
  buffer: RangeBuffer,
): Promise<ClientRange> {
  const stored = buffer(network, range);
  await network.readRangeInto(range.name, range.begin, stored);
  // Elements of f32 are subtracted as they are stored: no copy in f64 is made.
  const values =
    stored instanceof Float32Array || stored instanceof Float64Array
      ? stored
      : toFloat64(stored, entry(network.tensors, range.name, "tensor").dtype);
  return { values, base: base && (await readFloat64Range(base, range)) };
}

function addDisplacement(
  values: Float32Array | Float64Array,
  base: Float64Array,
  weight: number,
  out: Float64Array,
): void {
  for (let i = 0; i < out.length; i++) {
    out[i] = (out[i] as number) + weight * ((values[i] as number) - (base[i] as number));
  }
}

/** Averages the displacements of a range, each weighted by its client's share of the examples. */
export function averageRange(
  plan: Pick<AggregatePlan, "updates" | "shares">,
  range: TensorRange,
  global: Float64Array,
): Promise<Float64Array> {
  const combination = { kind: "linear", weights: plan.shares, carried: 0 } as const;
  return combineRange(plan, combination, range, { global, carried: undefined });
}

/** Arrays of a range that {@link combineRange} and its caller hold, for the memory they take. */
export function arraysHeld({ updates }: Pick<AggregatePlan, "updates">, combination: Combination): number {
  // The global range, stored and converted, the change, two displacements, and states.
  const shared = 10;
  return combination.kind === "linear" ? shared : shared + updates.length + combination.mixture.length;
}

function mixRow(row: readonly number[], displacements: readonly Float64Array[]): Float64Array {
  const values = new Float64Array(at(displacements, 0, "update").length);
  for (const [k, displacement] of displacements.entries()) {
    if (at(row, k) !== 0) addScaled(displacement, at(row, k), values);
  }
  return values;
}

function addScaled(source: Float64Array, factor: number, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) out[i] = (out[i] as number) + factor * (source[i] as number);
}
