import type { Labelled } from "../labels/field.ts";
import type { RuleContext } from "../rules/rule.ts";
import type { FactorAlgebra } from "./factor-algebra.ts";

/** The node that a rule of factors is applied to: its inputs carry factors instead of labels. */
export interface FactorContext extends RuleContext {
  readonly algebra: FactorAlgebra;
}

/**
 * Finds the factors of the outputs of one operator; returns undefined where it cannot, so that its inputs
 * must not change.
 */
export type FactorRule = (context: FactorContext) => readonly (Labelled | undefined)[] | undefined;
