import { readFileSync } from "node:fs";
import {
  type Checkpoint,
  convertInto,
  createCheckpoint,
  createTensor,
  DTYPES,
  type DType,
  fromFloat64Into,
  sizeOf,
  type TensorData,
  toFloat64,
  viewData,
} from "@isthmus/core";
import { describe, expect, test } from "vitest";
import { merge } from "./merge.ts";
import { MERGE_METHODS } from "./methods.ts";

/** Golden values, and the script that made them: tools/golden/mergekit-means.py. */
interface Golden {
  readonly inputs: Record<string, { shape: number[]; base: string; networks: string[] }>;
  readonly mergekit: readonly (Case & { readonly result: Record<"f64" | "f32" | "bf16", string> })[];
  readonly reference: readonly (Case & { readonly result: string })[];
}
interface Case {
  readonly input: string;
  readonly method: string;
  readonly parameters: Record<string, number | boolean | string | number[]>;
  readonly networks: number;
  readonly base: boolean;
}

const golden: Golden = JSON.parse(
  readFileSync(new URL("../test/golden/means.json", import.meta.url), "utf8"),
);

function decode(text: string, dtype: DType): TensorData {
  return viewData(dtype, Uint8Array.from(Buffer.from(text, "base64")));
}

/** Makes a network of golden elements, rounded to a type and stored in another that is as wide. */
function networkOf(text: string, shape: readonly number[], rounded: DType, stored: DType): Checkpoint {
  const [narrow, data] = [new DTYPES[rounded].array(sizeOf(shape)), new DTYPES[stored].array(sizeOf(shape))];
  fromFloat64Into(toFloat64(decode(text, "f32"), "f32"), rounded, narrow);
  convertInto({ dtype: rounded, data: narrow }, { dtype: stored, data });
  return createCheckpoint({ w: createTensor(stored, shape, data) });
}

async function run(
  { input, method, parameters, networks, base }: Case,
  rounded: DType,
  dtype: DType = rounded,
): Promise<Float64Array> {
  const { shape, networks: all, base: origin } = golden.inputs[input]!;
  const merged = merge(
    all.slice(0, networks).map((text) => networkOf(text, shape, rounded, dtype)),
    {
      method: MERGE_METHODS.get(method)!,
      parameters,
      ...(base ? { base: networkOf(origin, shape, rounded, dtype) } : {}),
    },
  );
  return toFloat64((await merged.read("w")).data, dtype);
}

/** Largest difference, as a share of the largest element that is expected; of 1 if all are 0. */
function differenceOf(result: Float64Array, expected: Float64Array): number {
  const largest = Math.max(...expected.map(Math.abs)) || 1;
  return Math.max(...result.map((x, i) => Math.abs(x - expected[i]!))) / largest;
}

const titleOf = ({ input, method, parameters, networks, base }: Case) =>
  `${method} ${JSON.stringify(parameters)} of ${networks} ${input}${base ? " with base" : ""}`;

/** Largest differences from mergekit, by element type, and why they are not 0. */
function tolerances({ method, parameters }: Case): Record<"f64" | "f32" | "bf16", number> {
  return {
    // mergekit adds 1e-8 to the lengths that multislerp divides by.
    f64: method === "multislerp" ? 1e-7 : 1e-14,
    // Both round to f32, of 24 bits. For vectors of a few elements mergekit also rounds angles to it, before
    // it divides by their sines.
    f32: (method === "nuslerp" && parameters["nuslerp_flatten"] === false ? 32 : 4) * 2 ** -24,
    // mergekit rounds to bf16, of 8 bits, after every step of some methods; we do so once, at the end.
    bf16: (method === "nuslerp" ? 16 : ["multislerp", "karcher"].includes(method) ? 4 : 1) * 2 ** -8,
  };
}

describe("methods equal mergekit 0.1.5", () => {
  test.each(golden.mergekit.map((one) => [titleOf(one), one] as const))("%s", async (_, one) => {
    for (const [dtype, tolerance] of Object.entries(tolerances(one)) as ["f64" | "f32" | "bf16", number][]) {
      const expected = toFloat64(decode(one.result[dtype], dtype), dtype);
      expect(differenceOf(await run(one, dtype), expected)).toBeLessThan(tolerance);
    }
    // In bf16 ours is right: as in f64, rounded once, which changes a number by 2^-8 of it at most.
    const exact = await run(one, "bf16", "f64");
    expect(differenceOf(await run(one, "bf16"), exact)).toBeLessThan(1.001 * 2 ** -8);
  });
});

describe("methods equal formulas in NumPy", () => {
  test.each(golden.reference.map((one) => [titleOf(one), one] as const))("%s", async (_, one) => {
    expect(differenceOf(await run(one, "f32"), decode(one.result, "f64") as Float64Array)).toBeLessThan(
      4 * 2 ** -24,
    );
  });
});
