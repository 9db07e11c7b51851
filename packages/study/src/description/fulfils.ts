import type { VariableValue, WantedValues } from "./variable-values.ts";

/** Tells whether variables have the values that are wanted: that one, or one of those. */
export function fulfils(variable: (name: string) => VariableValue | undefined, where: WantedValues): boolean {
  return Object.entries(where).every(([name, wanted]) => {
    const value = variable(name);
    return value !== undefined && [wanted].flat().includes(value);
  });
}
