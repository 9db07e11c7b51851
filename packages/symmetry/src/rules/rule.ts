import { InvariantError, type Tensor } from "@isthmus/core";
import type { Node } from "@isthmus/graph";
import { constantNumbers, intsAttribute, wrapAxis } from "@isthmus/graph/ir";
import type { Labelled } from "../labels/field.ts";
import type { LabelStore } from "../labels/label-store.ts";

/** The node that a rule is applied to, with the labels and shapes around it. */
export interface RuleContext {
  /** Node whose outputs are labelled. */
  readonly node: Node;
  /** Store in which the rule records new labels, links and functions. */
  readonly store: LabelStore;
  /** Version of ONNX's own operator set. */
  readonly opset: number;
  /** Labelled inputs; undefined for optional ones that are left out. */
  readonly inputs: readonly (Labelled | undefined)[];
  /** Shapes of all outputs, as the probe found them; undefined for outputs that are left out. */
  readonly outputs: readonly (readonly number[] | undefined)[];
  /** Whether an input depends on the input of the graph, and not on weights only. */
  readonly isActivation: (input: number) => boolean;
  /**
   * Returns the value of an input that depends on neither the input of the graph nor a weight; undefined for
   * others.
   */
  readonly constant: (input: number) => Tensor | undefined;
}

/**
 * Function that labels the outputs of one operator.
 *
 * If it cannot, such as for a slice at computed places, it returns undefined, or leaves an output of the node
 * undefined: the node then counts as unknown.
 */
export type Rule = (context: RuleContext) => readonly (Labelled | undefined)[] | undefined;

/** Returns the name of an input of a node; undefined if it is left out. */
export function inputName({ inputs }: Node, index: number): string | undefined {
  const name = inputs[index];
  return name === "" ? undefined : name;
}

/**
 * Returns a required input of a node.
 * @throws InvariantError if the node lacks it: without the labels of this input, labels that it fixes would
 *   be left free
 */
export function inputOf({ node, inputs }: RuleContext, index: number): Labelled {
  const input = inputs[index];
  if (input !== undefined) return input;
  throw new InvariantError(
    `No input ${index} of ${node.op} "${node.name}" among ${inputs.length}; please report this`,
  );
}

/** Lists all inputs that are not left out. */
export function givenInputs({ inputs }: RuleContext): Labelled[] {
  return inputs.filter((input) => input !== undefined);
}

/**
 * Returns the shape of an output that a node has.
 * @throws InvariantError if it is left out
 */
export function outputShape({ node, outputs }: RuleContext, index = 0): readonly number[] {
  const shape = outputs[index];
  if (shape !== undefined) return shape;
  throw new InvariantError(
    `No output ${index} of ${node.op} "${node.name}" among ${outputs.length}; please report this`,
  );
}

/** Checks whether a node has an input whose numbers a rule needs and that is not constant. */
export function isComputed(context: RuleContext, input: number): boolean {
  return context.inputs[input] !== undefined && context.constant(input) === undefined;
}

/**
 * Reads the axes that an attribute names, or a constant input in newer operator sets; undefined if neither
 * does.
 */
export function namedAxes(context: RuleContext, input: number, rank: number): readonly number[] | undefined {
  const axes = intsAttribute(context.node, "axes") ?? constantNumbers(context, input);
  return axes?.map((axis) => wrapAxis(axis, rank));
}
