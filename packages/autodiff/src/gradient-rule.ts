import { at, OutOfRangeError, type Tensor, UnsupportedError } from "@isthmus/core";
import type { Node } from "@isthmus/graph";
import type { GraphBuilder, Value } from "@isthmus/graph/builder";
import { constantNumbers } from "@isthmus/graph/ir";

/** Node that a rule is applied to, with its values and gradients. */
interface DifferentiatedNode {
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
  /** Whether gradients for kernels are convolutions whose channels are the examples. */
  readonly convolvesExamples: boolean;
}

/** Context of a rule: the node that it is applied to, and ways to read what every rule needs. */
export interface GradientContext extends DifferentiatedNode {
  /** Returns a required operand. @throws OutOfRangeError if the node lacks it */
  readonly operand: (index: number) => Value;
  /**
   * Returns a result, by default the first. @throws OutOfRangeError if nothing uses it,
   * so that the node leaves it out
   */
  readonly result: (index?: number) => Value;
  /** Returns the gradient for the first output. @throws OutOfRangeError if only other outputs have one */
  readonly cotangent: () => Value;
  /**
   * Returns the numbers of an input that must be constant, such as axes, extents and pads; undefined if
   * the node leaves the input out.
   * @throws UnsupportedError if the input depends on data
   */
  readonly settledNumbers: (input: number) => number[] | undefined;
  /**
   * Returns the numbers of a required input that must be constant.
   * @throws OutOfRangeError if the node lacks it
   * @throws UnsupportedError if it depends on data
   */
  readonly requiredNumbers: (input: number) => number[];
  /**
   * Refuses a variant of an operator that has no gradient rule.
   * @throws UnsupportedError always; the message names the node
   */
  readonly refuseVariant: (rule: string, variant: string | number) => never;
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

/** Makes the context in which the rule of a node is applied. */
export function createGradientContext(differentiated: DifferentiatedNode): GradientContext {
  const { node, inputs, outputs, cotangents } = differentiated;
  const attempt = `Cannot differentiate node "${node.name}" as`;
  const refuseMissing = (input: number): never => {
    throw new OutOfRangeError(`${attempt} ${node.op} needs input ${input}: it is missing`);
  };
  const settledNumbers = (input: number) => {
    const numbers = constantNumbers(differentiated, input);
    if (numbers !== undefined || inputs[input] === undefined) return numbers;
    throw new UnsupportedError(
      `${attempt} input ${input} of ${node.op} must be constant: "${at(node.inputs, input, "input")}" is computed from data`,
      { feature: node.op },
    );
  };
  return {
    ...differentiated,
    operand: (index) => inputs[index] ?? refuseMissing(index),
    result(index = 0) {
      const value = outputs[index];
      if (value !== undefined) return value;
      throw new OutOfRangeError(`${attempt} output ${index} of ${node.op} must be computed: it is left out`);
    },
    cotangent() {
      const [value] = cotangents;
      if (value !== undefined) return value;
      throw new OutOfRangeError(
        `${attempt} the loss must depend on the first output of ${node.op}: it depends on others only`,
      );
    },
    settledNumbers,
    requiredNumbers: (input) => settledNumbers(input) ?? refuseMissing(input),
    refuseVariant(rule, variant) {
      throw new UnsupportedError(`${attempt} ${node.op} ${rule}: it is ${variant}`, { feature: node.op });
    },
  };
}
