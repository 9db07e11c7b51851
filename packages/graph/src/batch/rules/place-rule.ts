import { at } from "@isthmus/core";
import { intsAttribute, wrapAxis } from "../../ir/attributes.ts";
import type { Attribute, Node } from "../../ir/graph.ts";
import { inputName } from "../../ir/input-name.ts";
import { type BatchPlace, isBatchAlone, type MergeChoice } from "../batch-place.ts";

/** Facts about a node that a rule can read; all shapes are for the exported batch. */
export interface PlaceContext {
  /** Node whose outputs are to be placed. */
  readonly node: Node;
  /** Version of ONNX's own operator set. */
  readonly opset: number;
  /** Examples in the batch. */
  readonly batch: number;
  /** Position of the batch in each input; undefined for inputs without a batch. */
  readonly places: readonly (BatchPlace | undefined)[];
  /** Shape of each input; undefined for optional inputs that the node leaves out. */
  readonly inputs: readonly (readonly number[] | undefined)[];
  /** Shape of each output; undefined for optional outputs that the node leaves out. */
  readonly outputs: readonly (readonly number[] | undefined)[];
  /**
   * Returns the numbers of an input that depends on no data; undefined for other inputs and for
   * inputs that the node leaves out.
   */
  readonly numbers: (input: number) => readonly number[] | undefined;
  /** Choice among several axes that may hold a batch of 1. */
  readonly choice: MergeChoice;
}

/**
 * Change of an input that lets the node take any batch: `numbers` are other whole numbers, a list if
 * there is no shape; `rows` reshapes the input to `[rows, ...shape]`; `tail` takes all but the first
 * element along the last axis; `single` takes one example in place of all, which broadcasts; `spread`
 * repeats one example for every example.
 */
export type OperandChange =
  | {
      /** Tag of an input that becomes other whole numbers. */
      readonly kind: "numbers";
      /** Whole numbers of the new input, row-major. */
      readonly numbers: readonly number[];
      /** Shape of the new input; absent for a list. */
      readonly shape?: readonly number[];
    }
  | {
      /** Tag of an input that is reshaped to rows. */
      readonly kind: "rows";
      /** Shape of one row, behind the axis of rows. */
      readonly shape: readonly number[];
    }
  | { /** Tag of an input that loses its first element along the last axis. */ readonly kind: "tail" }
  | {
      /** Tag of an input of which one example is taken in place of all. */
      readonly kind: "single";
      /** Axis of the input that holds the examples. */
      readonly axis: number;
    }
  | {
      /** Tag of an input whose one example is repeated for every example. */
      readonly kind: "spread";
      /** Axis of the input along which the example is repeated. */
      readonly axis: number;
    };

/** Places of the batch in the outputs of a node, and the changes that let the node take any batch. */
export interface Placing {
  /** Place in each output; undefined for outputs without a batch. */
  readonly places: readonly (BatchPlace | undefined)[];
  /** Changes by the number of the input. @defaultValue none */
  readonly changes?: ReadonlyMap<number, OperandChange>;
  /**
   * Operator that computes the same for any batch, in place of the node's. @defaultValue the operator of the
   * node
   */
  readonly op?: string;
  /** Attributes that change, or all attributes if the operator changes. @defaultValue none */
  readonly attributes?: ReadonlyMap<string, Attribute>;
}

/**
 * Follows the batch through one operator; returns a text such as `it adds up examples` that states the reason
 * if it cannot.
 */
export type PlaceRule = (context: PlaceContext) => Placing | string;

/** Reason why the batch is lost if one example may depend on another. */
export const MIXES = "it combines values of different examples";

/**
 * Makes the rule of an operator that moves elements of its first input; the other inputs control this, and
 * must not contain the batch.
 */
export function ofFirst(rule: (context: PlaceContext, place: BatchPlace) => Placing | string): PlaceRule {
  return (context) => {
    const [place, ...others] = context.places;
    if (place === undefined || others.some((other) => other !== undefined)) return MIXES;
    return rule(context, place);
  };
}

/** Returns the shape of an input; `[]` for an optional input that the node leaves out. */
export function shapeOf({ inputs }: PlaceContext, input: number): readonly number[] {
  const shape = inputs[input];
  return shape === undefined ? [] : shape;
}

/**
 * Returns the axes named by an attribute or a constant input; undefined if there is neither, `"computed"` if
 * they depend on data.
 */
export function axesOf(
  context: PlaceContext,
  input: number,
  rank: number,
): readonly number[] | undefined | "computed" {
  const axes = intsAttribute(context.node, "axes") ?? context.numbers(input);
  if (axes !== undefined) return axes.map((axis) => wrapAxis(axis, rank));
  return hasInput(context, input) ? "computed" : undefined;
}

/** Checks whether a node has an optional input. */
export function hasInput({ node }: PlaceContext, input: number): boolean {
  return inputName(node, input) !== "";
}

/** Returns the same place for every output that the node has. */
export function everywhere({ outputs }: PlaceContext, place: BatchPlace): (BatchPlace | undefined)[] {
  return outputs.map((shape) => (shape === undefined ? undefined : place));
}

/** Returns the place with another axis. */
export function atAxis(place: BatchPlace, axis: number): BatchPlace {
  return { ...place, axis };
}

/**
 * Returns the change by which an input without a batch can be combined with inputs that have one.
 *
 * @param place - place of the batch in the other inputs
 * @param axis - axis of the input at which the others have the batch; negative if the input has no such axis
 * @param broadcasts - whether the operator repeats an extent of 1 itself
 * @returns undefined if it may stay unchanged; a reason if it cannot be changed
 */
export function besides(
  { batch }: PlaceContext,
  place: BatchPlace,
  {
    shape,
    axis,
    broadcasts,
  }: { readonly shape: readonly number[]; readonly axis: number; readonly broadcasts: boolean },
): OperandChange | undefined | string {
  // An axis in front of all others has extent 1.
  const extent = axis < 0 ? 1 : at(shape, axis, "axis");
  if (broadcasts && extent === 1) return undefined;
  if (!isBatchAlone(place)) return "it joins values of examples, merged with other axes, and others";
  if (extent !== batch && extent !== 1) return MIXES;
  return { kind: broadcasts ? "single" : "spread", axis };
}

/** Returns the change of one input into a list of whole numbers. */
export function numbersChange(
  input: number,
  numbers: readonly number[],
): { readonly changes: ReadonlyMap<number, OperandChange> } {
  return { changes: new Map([[input, { kind: "numbers", numbers }]]) };
}
