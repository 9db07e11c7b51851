import { describe, expect, test } from "vitest";
import { labelConstant } from "./label-constant.ts";

const floats = (shape: readonly number[], ...values: number[]) =>
  ({ dtype: "f32", shape, data: Float32Array.from(values) }) as const;

describe("labelConstant()", () => {
  test("labelConstant() labels nothing where all is the same", () => {
    expect(labelConstant(floats([], 3)).fields).toEqual([]);
    expect(labelConstant(floats([2, 2], 1, 1, 1, 1)).fields).toEqual([]);
  });

  test("labelConstant() numbers distinct slices along each axis", () => {
    const { fields } = labelConstant(floats([3, 2], 1, 2, 1, 2, 5, 2));
    expect(fields).toEqual([
      { frozen: true, axes: [0], data: Int32Array.of(0, 0, 1) },
      { frozen: true, axes: [1], data: Int32Array.of(0, 1) },
    ]);
  });

  test("labelConstant() tells slices with the same numbers in another order apart", () => {
    const { fields } = labelConstant(floats([2, 2], 1, 2, 2, 1));
    expect(fields).toHaveLength(2);
  });

  test("labelConstant() reads whole numbers and booleans", () => {
    const { fields } = labelConstant({ dtype: "i64", shape: [3], data: BigInt64Array.of(7n, 7n, 8n) });
    expect(fields[0]?.data).toEqual(Int32Array.of(0, 0, 1));
    const mask = labelConstant({ dtype: "bool", shape: [2], data: Uint8Array.of(0, 1) });
    expect(mask.fields[0]?.data).toEqual(Int32Array.of(0, 1));
  });
});
