import type { Labelled } from "../labels/field.ts";
import type { RuleContext } from "../rules/rule.ts";
import type { FactorAlgebra } from "./factor-algebra.ts";

/** What a rule of factors sees of the node it is applied to: inputs carry factors instead of labels. */
export interface FactorContext extends RuleContext {
  readonly algebra: FactorAlgebra;
}

/** Says which factors the outputs of one operator have; undefined where it cannot, so that its inputs stay as they are. */
export type FactorRule = (context: FactorContext) => readonly (Labelled | undefined)[] | undefined;
