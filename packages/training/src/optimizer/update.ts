import type { Value } from "@isthmus/graph/builder";
import type { StepScalars } from "./step-scalars.ts";

/** A trained parameter and what its update is made from. */
export interface UpdateContext {
  readonly parameter: Value;
  /** Of the parameter's shape, clipped. */
  readonly gradient: Value;
  /** Weight decay of this parameter; 0 where it is excluded. */
  readonly decay: number;
  /** What decays as a part of the loss: the parameter, or of a blend its share. */
  readonly decayed: Value;
  readonly scalars: StepScalars;
  /** A tensor of the parameter's shape that is carried from step to step, zeros at first. */
  readonly state: (kind: string) => Value;
}

/** What becomes of a parameter and of its state, by its kind. */
export interface Update {
  readonly parameter: Value;
  readonly state: Readonly<Record<string, Value>>;
}
