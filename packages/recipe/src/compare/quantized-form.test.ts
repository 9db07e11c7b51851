import { convertData, createRandom, createTensor, type DType, toFloat32 } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findQuantizedForm, isCoarse } from "./quantized-form.ts";

const tensors = (name: string, dtype: DType, shape: readonly number[]) => ({
  tensors: new Map([[name, { dtype, shape }]]),
});

describe("findQuantizedForm()", () => {
  test.each([
    ["model.layers.0.mlp.up_proj.qweight", "i32", "GPTQ or AWQ"],
    ["model.layers.0.mlp.up_proj.weight.absmax", "u8", "bitsandbytes, 4 bits"],
    ["model.layers.0.mlp.up_proj.weight.quant_state.bitsandbytes__nf4", "u8", "bitsandbytes, 4 bits"],
    ["model.layers.0.mlp.up_proj.SCB", "f32", "bitsandbytes, 8 bits"],
    ["model.layers.0.mlp.up_proj.weight_packed", "i32", "compressed-tensors"],
    ["model.layers.0.mlp.up_proj.weight_scale_inv", "f32", "8 bits with scales beside"],
    ["model.layers.0.mlp.up_proj.weight", "i8", "i8 codes"],
  ] as const)("knows %s", (name, dtype, scheme) => {
    expect(findQuantizedForm(tensors(name, dtype, [4, 4]))).toEqual({ scheme, tensor: name });
  });

  test.each([
    ["bn.num_batches_tracked", "i64", []],
    ["attn.mask", "bool", [4, 4]],
    ["position_ids", "i64", [1, 512]],
    ["fc.weight", "bf16", [4, 4]],
    ["fc.weight", "f8e4m3", [4, 4]],
  ] as const)("takes %s of %s for no code", (name, dtype, shape) => {
    expect(findQuantizedForm(tensors(name, dtype, shape))).toBeNull();
  });
});

const row = (seed: number, size = 2048) => {
  const random = createRandom(seed);
  return Float32Array.from({ length: size }, () => 0.02 * random.normal());
};

describe("isCoarse()", () => {
  test("takes ordinary rows of any type for fine", () =>
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom<DType>("f32", "f16", "bf16"), (seed, dtype) => {
        const stored = convertData(row(seed), "f32", dtype);
        expect(isCoarse(toFloat32(stored, dtype))).toBe(false);
      }),
    ));

  test("knows rows rounded to 8 bits with one scale, and to 4 bits with a scale for each group", () =>
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const values = row(seed);
        const scale = Math.max(...values.map(Math.abs)) / 127;
        expect(isCoarse(values.map((x) => Math.round(x / scale) * scale))).toBe(true);
        const groups = values.map((x, i) => {
          const group = values.subarray(64 * Math.floor(i / 64), 64 * Math.floor(i / 64) + 64);
          const step = Math.max(...group.map(Math.abs)) / 7;
          return Math.round(x / step) * step;
        });
        expect(isCoarse(groups)).toBe(true);
      }),
      { numRuns: 50 },
    ));

  test("does not take constant, sparse or short rows for coarse", () => {
    expect(isCoarse(new Float32Array(2048).fill(1))).toBe(false);
    expect(isCoarse(row(1).map((x, i) => (i % 16 === 0 ? x : 0)))).toBe(false);
    expect(isCoarse(createTensor("f32", [20], new Float32Array(20)).data as Float32Array)).toBe(false);
  });
});
