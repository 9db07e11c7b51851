import type { Tensor } from "@isthmus/core";
import type { Node } from "./graph.ts";

/** Returns the tensor of a `Constant` that is a tensor or whole numbers; undefined for every other node. */
export function constantTensor({ op, attributes }: Node): Tensor | undefined {
  if (op !== "Constant") return undefined;
  const [tensor, number, numbers] = ["value", "value_int", "value_ints"].map((name) => attributes.get(name));
  if (tensor?.type === "tensor") return tensor.value;
  if (number?.type === "int") return wholeNumbers([number.value], []);
  return numbers?.type === "ints" ? wholeNumbers(numbers.value, [numbers.value.length]) : undefined;
}

/** Makes a tensor of whole numbers, i64. */
export const wholeNumbers = (values: readonly number[], shape: readonly number[]): Tensor => ({
  dtype: "i64",
  shape,
  data: BigInt64Array.from(values, BigInt),
});
