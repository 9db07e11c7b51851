import type { Tensor } from "@isthmus/core";
import type { Node } from "@isthmus/graph";
import { constantNumbers, intsAttribute, wrapAxis } from "@isthmus/graph/ir";
import type { Labelled } from "../labels/field.ts";
import type { LabelStore } from "../labels/label-store.ts";

/** What a rule sees of the node it is applied to. */
export interface RuleContext {
  readonly node: Node;
  readonly store: LabelStore;
  /** Version of ONNX's own operator set. */
  readonly opset: number;
  /** Labelled inputs; undefined for optional ones that are not given. */
  readonly inputs: readonly (Labelled | undefined)[];
  /** Shapes of all outputs, as the probe found them; undefined for those not wanted. */
  readonly outputs: readonly (readonly number[] | undefined)[];
  /** Whether an input depends on the input of the graph, and not on weights only. */
  readonly isActivation: (input: number) => boolean;
  /** Value of an input that depends on neither the input nor a weight; undefined for others. */
  readonly constant: (input: number) => Tensor | undefined;
}

/**
 * Labels the outputs of one operator. Returns undefined where it cannot say, as for a slice at computed places, or leaves out
 * an output that is wanted: the node then counts as unknown.
 */
export type Rule = (context: RuleContext) => readonly (Labelled | undefined)[] | undefined;

/** A required input of a node. */
export function inputOf({ inputs }: RuleContext, index: number): Labelled {
  return inputs[index] ?? { shape: [], fields: [] };
}

/** All inputs that are given. */
export function givenInputs({ inputs }: RuleContext): Labelled[] {
  return inputs.filter((input) => input !== undefined);
}

/** Shape of an output, `[]` if it is not wanted. */
export function outputShape({ outputs }: RuleContext, index = 0): readonly number[] {
  return outputs[index] ?? [];
}

/** Whether a node has an input whose numbers a rule needs and that is not constant. */
export function isComputed(context: RuleContext, input: number): boolean {
  return context.inputs[input] !== undefined && context.constant(input) === undefined;
}

/** Axes named by an attribute, or by a constant input where newer operator sets moved them there. */
export function namedAxes(context: RuleContext, input: number, rank: number): readonly number[] | undefined {
  const axes = intsAttribute(context.node, "axes") ?? constantNumbers(context, input);
  return axes?.map((axis) => wrapAxis(axis, rank));
}
