import type { VariableValue } from "@isthmus/forms";
import type { WantedValues } from "./wanted-values.ts";

/** Checks whether every variable has the value that is asked for, or one of several. */
export function fulfils(variable: (name: string) => VariableValue | undefined, where: WantedValues): boolean {
  return Object.entries(where).every(([name, wanted]) => {
    const value = variable(name);
    return value !== undefined && [wanted].flat().includes(value);
  });
}
