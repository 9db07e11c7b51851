import type { Value } from "@isthmus/graph/builder";
import type { StepScalars } from "./step-scalars.ts";

/** A trained parameter and all that its update is computed from. */
export interface UpdateContext {
  readonly parameter: Value;
  /** Gradient by the parameter, of the same shape; clipped if gradients are clipped. */
  readonly gradient: Value;
  /** Weight decay of this parameter; 0 if it is excluded. */
  readonly decay: number;
  /** The value that weight decay multiplies: the parameter, or its share of the blended weight. */
  readonly decayed: Value;
  readonly scalars: StepScalars;
  /** Returns a tensor of the parameter's shape that is carried from step to step and starts as zeros. */
  readonly state: (kind: string) => Value;
}

/** The next values of a parameter and of its state, the latter by its kind. */
export interface Update {
  readonly parameter: Value;
  readonly state: Readonly<Record<string, Value>>;
}
