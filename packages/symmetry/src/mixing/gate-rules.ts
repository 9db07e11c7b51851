import type { Node } from "@isthmus/graph";
import { FACTOR_RULES } from "../linear/factor-rules.ts";
import type { FactorRule } from "../linear/rule.ts";
import { outputShape } from "../rules/rule.ts";
import type { Gate } from "./find-gates.ts";
import { factorsAlongLast } from "./norm-rules.ts";

/** A gate that a walk reached, and the factors on the axis along which it multiplies. */
export interface GateVisit {
  /** Gate that was reached. */
  readonly gate: Gate;
  /** Factor at each place along the last axis of the gate's input, `[extent]`. */
  readonly factors: Int32Array;
}

/**
 * Creates rules that let a mixture through gates, whose weights count as 1, and lists the gates that a walk
 * by these rules reached.
 */
export function gateRules(gates: readonly Gate[]): {
  readonly overrides: ReadonlyMap<Node, FactorRule>;
  readonly visits: readonly GateVisit[];
} {
  const visits: GateVisit[] = [];
  const multiply = FACTOR_RULES.get("Mul");
  const overrides = new Map(
    gates.map((gate): [Node, FactorRule] => [
      gate.node,
      (context) => {
        const input = context.inputs[gate.node.inputs.indexOf(gate.input)];
        const factors = input && factorsAlongLast(input, context.algebra);
        if (input === undefined || factors === undefined) return multiply?.(context);
        visits.push({ gate, factors });
        return [{ shape: outputShape(context), fields: input.fields }];
      },
    ]),
  );
  return { overrides, visits };
}
