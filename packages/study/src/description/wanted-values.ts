import type { VariableValue } from "@isthmus/forms";

/** Values that variables must have: that one, or one of those. */
export type WantedValues = Readonly<Record<string, VariableValue | readonly VariableValue[]>>;
