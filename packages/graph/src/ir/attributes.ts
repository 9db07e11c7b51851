import type { Attribute, Node } from "./graph.ts";

/** Returns an integer attribute, or the default of the operator. */
export function intAttribute({ attributes }: Node, name: string, fallback: number): number {
  const attribute = attributes.get(name);
  return attribute?.type === "int" ? attribute.value : fallback;
}

/** Returns a floating-point attribute, or the default of the operator. */
export function floatAttribute({ attributes }: Node, name: string, fallback: number): number {
  const attribute = attributes.get(name);
  return attribute?.type === "float" ? attribute.value : fallback;
}

/** Returns an attribute that is a list of integers; undefined if the node lacks it. */
export function intsAttribute({ attributes }: Node, name: string): readonly number[] | undefined {
  const attribute = attributes.get(name);
  return attribute?.type === "ints" ? attribute.value : undefined;
}

/** Returns a string attribute, or the default of the operator. */
export function stringAttribute({ attributes }: Node, name: string, fallback: string): string {
  const attribute = attributes.get(name);
  return attribute?.type === "string" ? attribute.value : fallback;
}

/** Returns an axis as `0 .. rank - 1`; negative axes count from the end. */
export function wrapAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** Makes an integer attribute. */
export const int = (value: number): Attribute => ({ type: "int", value });

/** Makes a floating-point attribute, rounded to the f32 that ONNX stores. */
export const float = (value: number): Attribute => ({ type: "float", value: Math.fround(value) });

/** Makes an attribute of a list of integers. */
export const ints = (value: readonly number[]): Attribute => ({ type: "ints", value });

/** Makes a string attribute. */
export const string = (value: string): Attribute => ({ type: "string", value });
