import type { DiagonalSymmetry } from "./linear-symmetries.ts";

/**
 * Groups variables that lie on the same fields, such as the variables of one layer: no two of a group change
 * the same element.
 */
export function groupVariables({ variables, weights }: DiagonalSymmetry): Int32Array[] {
  const keys = Array.from({ length: variables }, () => "");
  let number = 0;
  for (const { fields } of weights.values()) {
    for (const field of fields) {
      number++;
      const present = new Set(Array.from(field.variables, (variable) => Math.abs(variable) - 1));
      for (const variable of present) if (variable >= 0) keys[variable] += `${number},`;
    }
  }
  const groups = new Map<string, number[]>();
  keys.forEach((key, variable) => {
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [variable]);
    else group.push(variable);
  });
  return [...groups.values()].map((group) => Int32Array.from(group));
}
