import type { VariableValue } from "@isthmus/forms";

/** Required values by name of the variable: a single value, or a list of values of which one must match. */
export type WantedValues = Readonly<Record<string, VariableValue | readonly VariableValue[]>>;
