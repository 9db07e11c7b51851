import { at, type Checkpoint } from "@isthmus/core";
import type { AggregatePlan, Combination } from "./plan-aggregate.ts";
import { readDisplacement, readFloat64Range, type TensorRange } from "./ranges.ts";

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
  const change = new Float64Array(global.length);
  if (combination.kind === "linear") {
    const { weights } = combination;
    const parts = updates.map((update, k) => ({ update, weight: at(weights, k) }));
    const read = parts.filter(({ weight }) => weight !== 0);
    // While one is added, the next is being read.
    let next = read[0] && readDisplacement(read[0].update, range, global);
    for (const [k, { weight }] of read.entries()) {
      const displacement = await (next as Promise<Float64Array>);
      const following = read[k + 1];
      next = following && readDisplacement(following.update, range, global);
      addScaled(displacement, weight, change);
    }
    if (carried !== undefined && combination.carried !== 0) {
      addScaled(await readFloat64Range(carried, range), combination.carried, change);
    }
    return change;
  }
  const displacements = await Promise.all(updates.map((update) => readDisplacement(update, range, global)));
  const values = combination.mixture.map((row) => mixRow(row, displacements));
  combination.rule.combineInto(values, combination.parameters, change);
  return change;
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
