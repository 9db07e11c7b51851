import { type Tensor, UnsupportedError } from "@isthmus/core";
import type { Node } from "@isthmus/graph";
import type { GraphBuilder, Value } from "@isthmus/graph/builder";
import { constantNumbers } from "@isthmus/graph/ir";

/** What a rule sees of the node it is applied to. */
export interface GradientContext {
  readonly node: Node;
  /** Where the rule adds its nodes. */
  readonly builder: GraphBuilder;
  /** Operands; undefined for optional ones that are not given. */
  readonly inputs: readonly (Value | undefined)[];
  /** Results; undefined for optional ones that are not wanted. */
  readonly outputs: readonly (Value | undefined)[];
  /** Gradient of the loss for each output, of its shape; undefined where the loss does not depend on it. At least one is given. */
  readonly cotangents: readonly (Value | undefined)[];
  /** Whether the gradient for an input is wanted; rules leave out work for those that are not. */
  readonly needs: (input: number) => boolean;
  /** Tensor of an input that is a constant, as axes and extents are; undefined for others. */
  readonly constant: (input: number) => Tensor | undefined;
}

/**
 * Gradient rule of an operator: from the gradients for its outputs those for its inputs, each of the shape of its input;
 * undefined for inputs that are not needed or that the outputs do not depend on smoothly. Rules emit ordinary operators, so
 * that gradient graphs can be differentiated again.
 */
export type GradientRule = (context: GradientContext) => readonly (Value | undefined)[];

/** A required operand. @throws RangeError if the node lacks it */
export function operand({ inputs, node }: GradientContext, index: number): Value {
  const value = inputs[index];
  if (value !== undefined) return value;
  throw new RangeError(
    `Cannot differentiate node "${node.name}" as ${node.op} needs input ${index}: it is missing`,
  );
}

/** A result, by default the first. @throws RangeError if nothing uses it, so that the node leaves it out */
export function result({ outputs, node }: GradientContext, index = 0): Value {
  const value = outputs[index];
  if (value !== undefined) return value;
  throw new RangeError(
    `Cannot differentiate node "${node.name}" as output ${index} of ${node.op} must be computed: it is left out`,
  );
}

/** The gradient for the first output. @throws RangeError if only other outputs have one */
export function cotangent({ cotangents, node }: GradientContext): Value {
  const [value] = cotangents;
  if (value !== undefined) return value;
  throw new RangeError(
    `Cannot differentiate node "${node.name}" as the loss must depend on the first output of ${node.op}: it depends on others only`,
  );
}

/**
 * Numbers of an input that must be constant, such as axes, extents and pads; undefined if it is not given.
 * @throws UnsupportedError if it depends on data
 */
export function settledNumbers(context: GradientContext, input: number): number[] | undefined {
  const numbers = constantNumbers(context, input);
  const { node } = context;
  const name = node.inputs[input] ?? "";
  if (numbers !== undefined || name === "") return numbers;
  throw new UnsupportedError(
    `Cannot differentiate node "${node.name}" as input ${input} of ${node.op} must be constant: "${name}" is computed from data`,
    { feature: node.op },
  );
}

/** Refuses a variant of an operator that has no gradient rule. */
export function refuseVariant({ node }: GradientContext, rule: string, found: string | number): never {
  throw new UnsupportedError(
    `Cannot differentiate node "${node.name}" as ${node.op} ${rule}: it is ${found}`,
    {
      feature: node.op,
    },
  );
}
