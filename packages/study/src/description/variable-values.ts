/** A value that a variable of a study takes. */
export type VariableValue = string | number;

/** Values that variables must have: that one, or one of those. */
export type WantedValues = Readonly<Record<string, VariableValue | readonly VariableValue[]>>;
