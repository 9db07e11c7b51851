import type { VariableValue } from "@isthmus/forms";

/** Values that variables must have: that one, or one of those. */
export type WantedValues = Readonly<Record<string, VariableValue | readonly VariableValue[]>>;

/** Checks whether every variable has the value that is asked for, or one of several. */
export function fulfils(variable: (name: string) => VariableValue | undefined, where: WantedValues): boolean {
  return Object.entries(where).every(([name, wanted]) => {
    const value = variable(name);
    return value !== undefined && [wanted].flat().includes(value);
  });
}
