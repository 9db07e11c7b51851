import type { Value } from "@isthmus/graph/builder";
import type { StepScalars } from "./step-scalars.ts";

/** A trained parameter and all that its update is computed from. */
export interface UpdateContext {
  /** Trained parameter before the update. */
  readonly parameter: Value;
  /** Gradient by the parameter, of the same shape; clipped if gradients are clipped. */
  readonly gradient: Value;
  /** Weight decay of this parameter; 0 if it is excluded. */
  readonly decay: number;
  /** The value that weight decay multiplies: the parameter, or its share of the blended weight. */
  readonly decayed: Value;
  /** Numbers that change from step to step, such as the learning rate. */
  readonly scalars: StepScalars;
  /** Returns a tensor of the parameter's shape that is carried from step to step and starts as zeros. */
  readonly state: (kind: string) => Value;
}

/** The next values of a parameter and of its state, the latter by its kind. */
export interface Update {
  /** Parameter after the update. */
  readonly parameter: Value;
  /** State of the optimiser after the update, by the kinds that `state` was called with. */
  readonly state: Readonly<Record<string, Value>>;
}
