import { intsAttribute, wrapAxis } from "../../ir/attributes.ts";
import type { Attribute, Node } from "../../ir/graph.ts";
import { type BatchPlace, isBatchAlone, type MergeChoice } from "../batch-place.ts";

/** What a rule sees of a node, all shapes for the batch that the graph was exported with. */
export interface PlaceContext {
  readonly node: Node;
  /** Version of ONNX's own operator set. */
  readonly opset: number;
  /** Examples in the batch. */
  readonly batch: number;
  /** Where the batch lies in each input; undefined where it is not in it. */
  readonly places: readonly (BatchPlace | undefined)[];
  /** Shape of each input; undefined for optional ones that are not given. */
  readonly inputs: readonly (readonly number[] | undefined)[];
  /** Shape of each output; undefined for those that are not wanted. */
  readonly outputs: readonly (readonly number[] | undefined)[];
  /** Numbers of an input that depends on no data; undefined for others, and where there is no such input. */
  readonly numbers: (input: number) => readonly number[] | undefined;
  /** How to decide where shapes do not tell. */
  readonly choice: MergeChoice;
}

/**
 * How an input must change so that the node takes any batch: other whole numbers, in a list if no shape is given; one example of it in
 * place of all, which broadcasts; that one repeated for every example; another shape, that of each example; or all but the
 * first along the last axis.
 */
export type OperandChange =
  | { readonly kind: "numbers"; readonly numbers: readonly number[]; readonly shape?: readonly number[] }
  | { readonly kind: "rows"; readonly shape: readonly number[] }
  | { readonly kind: "tail" }
  | { readonly kind: "single"; readonly axis: number }
  | { readonly kind: "spread"; readonly axis: number };

/** Where the batch lies behind a node, and what of the node must change for any batch. */
export interface Placing {
  /** Place in each output; undefined where the batch is not in it. */
  readonly places: readonly (BatchPlace | undefined)[];
  /** Changes by the number of the input. @defaultValue none */
  readonly changes?: ReadonlyMap<number, OperandChange>;
  /** Operator that does the same for any batch. @defaultValue the node's own */
  readonly op?: string;
  /** Attributes that become others, or all of them where the operator does. @defaultValue none */
  readonly attributes?: ReadonlyMap<string, Attribute>;
}

/** Follows the batch through one operator; text says why it cannot, as `it adds up examples`. */
export type PlaceRule = (context: PlaceContext) => Placing | string;

/** What is said where one example may depend on another. */
export const MIXES = "it combines values of different examples";

/** Makes the rule of an operator that moves its first input by what the others say, none of which may have the batch in it. */
export function ofFirst(rule: (context: PlaceContext, place: BatchPlace) => Placing | string): PlaceRule {
  return (context) => {
    const [place, ...others] = context.places;
    if (place === undefined || others.some((other) => other !== undefined)) return MIXES;
    return rule(context, place);
  };
}

/** Shape of a required input. */
export function shapeOf({ inputs }: PlaceContext, input: number): readonly number[] {
  return inputs[input] ?? [];
}

/** Axes named by an attribute or a constant input; undefined where neither tells, `"computed"` where they depend on data. */
export function axesOf(
  context: PlaceContext,
  input: number,
  rank: number,
): readonly number[] | undefined | "computed" {
  const axes = intsAttribute(context.node, "axes") ?? context.numbers(input);
  if (axes !== undefined) return axes.map((axis) => wrapAxis(axis, rank));
  return (context.node.inputs[input] ?? "") === "" ? undefined : "computed";
}

/** The same place in every output that is wanted. */
export function everywhere({ outputs }: PlaceContext, place: BatchPlace): (BatchPlace | undefined)[] {
  return outputs.map((shape) => (shape === undefined ? undefined : place));
}

/** The place with another axis. */
export function atAxis(place: BatchPlace, axis: number): BatchPlace {
  return { ...place, axis };
}

/**
 * How an input without a batch of its own must change to stand beside inputs that have one.
 *
 * @param axis - of the input, where the others have the batch; negative if it has no such axis
 * @param broadcasts - whether the operator repeats an extent of 1 itself
 * @returns undefined if it may stay as it is; text if it cannot be changed
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
  const extent = shape[axis] ?? 1;
  if (broadcasts && (axis < 0 || extent === 1)) return undefined;
  if (!isBatchAlone(place)) return "it joins values of examples, merged with other axes, and others";
  if (extent !== batch && extent !== 1) return MIXES;
  return { kind: broadcasts ? "single" : "spread", axis };
}

/** The change of one input into a list of whole numbers. */
export function numbersChange(
  input: number,
  numbers: readonly number[],
): { readonly changes: ReadonlyMap<number, OperandChange> } {
  return { changes: new Map([[input, { kind: "numbers", numbers }]]) };
}
