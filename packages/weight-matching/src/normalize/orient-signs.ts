import { type Checkpoint, entry } from "@isthmus/core";
import type { DiagonalSymmetry } from "@isthmus/symmetry";
import { groupVariables, multiplyInPlace, positionIn } from "@isthmus/symmetry/layout";
import { readSubjects, type Subjects } from "./read-subjects.ts";

/**
 * Finds the signs with which the weights in front of each unit have a sum that is not negative, layer by
 * layer in the order of the graph: the same whatever the signs were before, and whatever the order of units.
 *
 * @returns 1 or -1 for each variable, `[variables]`
 */
export async function orientSigns(checkpoint: Checkpoint, symmetry: DiagonalSymmetry): Promise<Float64Array> {
  const subjects = await readSubjects(checkpoint, symmetry);
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
