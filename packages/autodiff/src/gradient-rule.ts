import { at, OutOfRangeError, type Tensor, UnsupportedError } from "@isthmus/core";
import type { Node } from "@isthmus/graph";
import type { GraphBuilder, Value } from "@isthmus/graph/builder";
import { constantNumbers } from "@isthmus/graph/ir";

/** Context of a rule: the node that it is applied to, with its values and gradients. */
export interface GradientContext {
  /** Node that the rule is applied to. */
  readonly node: Node;
  /** Graph to which the rule adds its nodes. */
  readonly builder: GraphBuilder;
  /** Operands; undefined for optional operands that the node leaves out. */
  readonly inputs: readonly (Value | undefined)[];
  /** Results; undefined for optional results that the node leaves out. */
  readonly outputs: readonly (Value | undefined)[];
  /**
   * Gradient of the loss for each output, of the output's shape; undefined if the loss does not depend on the
   * output. At least one is defined.
   */
  readonly cotangents: readonly (Value | undefined)[];
  /** Whether the gradient for an input is needed; rules leave out work for inputs that do not need one. */
  readonly needs: (input: number) => boolean;
  /** Returns the tensor of an input that is a constant, such as axes and extents; undefined for others. */
  readonly constant: (input: number) => Tensor | undefined;
}

/**
 * Computes the gradients for an operator's inputs, each of the shape of its input, from the gradients for its
 * outputs; undefined for inputs that need none or on which the outputs do not depend smoothly. Rules emit
 * ordinary operators, so that gradient graphs can be differentiated again.
 *
 * Comments of rules name operands `x`, `y`, ... and write `g` for the gradient for the first output.
 */
export type GradientRule = (context: GradientContext) => readonly (Value | undefined)[];

/** The rules of a family of operators, by the name of the operator in ONNX. */
export type GradientRules = Readonly<Record<string, GradientRule>>;

/** Returns a required operand. @throws OutOfRangeError if the node lacks it */
export function operand(context: GradientContext, index: number): Value {
  return context.inputs[index] ?? refuseMissing(context, index);
}

function refuseMissing({ node }: GradientContext, input: number): never {
  throw new OutOfRangeError(
    `Cannot differentiate node "${node.name}" as ${node.op} needs input ${input}: it is missing`,
  );
}

/**
 * Returns a result, by default the first. @throws OutOfRangeError if nothing uses it,
 * so that the node leaves it out
 */
export function result({ outputs, node }: GradientContext, index = 0): Value {
  const value = outputs[index];
  if (value !== undefined) return value;
  throw new OutOfRangeError(
    `Cannot differentiate node "${node.name}" as output ${index} of ${node.op} must be computed: it is left out`,
  );
}

/** Returns the gradient for the first output. @throws OutOfRangeError if only other outputs have one */
export function cotangent({ cotangents, node }: GradientContext): Value {
  const [value] = cotangents;
  if (value !== undefined) return value;
  throw new OutOfRangeError(
    `Cannot differentiate node "${node.name}" as the loss must depend on the first output of ${node.op}: it depends on others only`,
  );
}

/**
 * Returns the numbers of an input that must be constant, such as axes, extents and pads; undefined if
 * the node leaves the input out.
 * @throws UnsupportedError if the input depends on data
 */
export function settledNumbers(context: GradientContext, input: number): number[] | undefined {
  const { node, inputs } = context;
  const numbers = constantNumbers(context, input);
  if (numbers !== undefined || inputs[input] === undefined) return numbers;
  throw new UnsupportedError(
    `Cannot differentiate node "${node.name}" as input ${input} of ${node.op} must be constant: "${at(node.inputs, input, "input")}" is computed from data`,
    { feature: node.op },
  );
}

/**
 * Returns the numbers of a required input that must be constant.
 * @throws OutOfRangeError if the node lacks it
 * @throws UnsupportedError if it depends on data
 */
export function requiredNumbers(context: GradientContext, input: number): number[] {
  return settledNumbers(context, input) ?? refuseMissing(context, input);
}

/**
 * Refuses a variant of an operator that has no gradient rule.
 * @throws UnsupportedError always; the message names the node
 */
export function refuseVariant({ node }: GradientContext, rule: string, variant: string | number): never {
  throw new UnsupportedError(
    `Cannot differentiate node "${node.name}" as ${node.op} ${rule}: it is ${variant}`,
    {
      feature: node.op,
    },
  );
}
