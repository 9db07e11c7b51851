import type { Labelled } from "../labels/field.ts";
import type { LabelStore } from "../labels/label-store.ts";
import type { RuleContext } from "../rules/rule.ts";
import type { FactorAlgebra } from "./factor-algebra.ts";

/** Rules by which codes on tensors combine, as far as a walk needs them. */
export interface WalkAlgebra {
  /** Name of the node whose demands are recorded now. */
  node: string;
  /**
   * The store that rules of labels need to move codes: it holds codes as labels, each in a separate class.
   * Code 0 stands for elements that do not change.
   */
  readonly store: LabelStore;
  /** Returns the code of a label of a weight. */
  codeOf(label: number): number;
  /** Demands that a tensor does not change. */
  fix(tensor: Labelled): Labelled;
}

/**
 * Function that finds the codes of the outputs of one operator; it returns undefined if it cannot, so that
 * the operator's inputs must not change.
 */
export type WalkRule<A extends WalkAlgebra> = (
  context: RuleContext & { /** Algebra that combines codes and records demands. */ readonly algebra: A },
) => readonly (Labelled | undefined)[] | undefined;

/** The node that a rule of factors is applied to: its inputs carry factors instead of labels. */
export interface FactorContext extends RuleContext {
  /** Algebra of the factors: it combines them and records the demands that operators make. */
  readonly algebra: FactorAlgebra;
}

/** Function that finds the factors of the outputs of one operator. */
export type FactorRule = WalkRule<FactorAlgebra>;
