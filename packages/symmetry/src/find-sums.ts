import { at } from "@isthmus/core";
import type { Symmetries } from "./derive-spec.ts";
import { LABEL_FLAGS } from "./labels/label-store.ts";

/** Places where a graph sums over units; in all other places it computes unit by unit. */
export interface UnitSums {
  /**
   * For each weight with units, the fields of its layout, by index, that products sum over: the inputs of a
   * layer. A network in which a unit is doubled computes the same if these are halved.
   */
  readonly weights: ReadonlyMap<string, ReadonlySet<number>>;
  /**
   * Symmetries, by index, that a product of two activations sums over, such as a product of queries with
   * keys.
   */
  readonly paired: ReadonlySet<number>;
}

/**
 * Finds out which axes of weights, and which symmetries, the products of a graph sum over.
 *
 * An axis of a weight counts as summed if it reaches a product whole, transposed or not; an axis that is
 * split or joined with another on the way does not.
 */
export function findSums({ spec, labels, group, units }: Symmetries): UnitSums {
  const { flags } = labels.store;
  const isSummed = (label: number) => ((flags[label] as number) & LABEL_FLAGS.weightInput) !== 0;
  const weights = new Map<string, ReadonlySet<number>>();
  for (const [name, { fields }] of spec.weights) {
    const labelled = labels.weights.get(name)?.fields ?? [];
    const summed = fields.flatMap(({ axes }, index) => {
      const field = labelled.find((candidate) => candidate.axes.join() === axes.join());
      return field?.labels.some(isSummed) ? [index] : [];
    });
    if (fields.length > 0) weights.set(name, new Set(summed));
  }
  const { members, start } = group.classes;
  const paired = spec.symmetries.flatMap(({ firstUnit }, index) => {
    const unitClass = at(units.classOf, firstUnit, "unit");
    const ofClass = members.subarray(at(start, unitClass, "class"), at(start, unitClass + 1, "class"));
    return ofClass.some((label) => ((flags[label] as number) & LABEL_FLAGS.paired) !== 0) ? [index] : [];
  });
  return { weights, paired: new Set(paired) };
}
