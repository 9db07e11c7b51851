import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCheckpoint } from "../../checkpoint/create-checkpoint.ts";
import { entry } from "../../invariant.ts";
import { openCheckpoint } from "../../open-checkpoint.ts";
import { createRandom } from "../../random/create-random.ts";
import { saveCheckpoint } from "../../save-checkpoint.ts";
import { DTYPES, type DType } from "../../tensor/dtype.ts";
import { sizeOf } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";

interface StoredTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Bytes of the elements in base64. */
  readonly data: string;
}

interface GoldenCase {
  readonly tensors: Readonly<Record<string, StoredTensor>>;
  /** Name of the weight in the unquantised model. */
  readonly name: string;
  /** Numbers that the program of the format reads. */
  readonly read: StoredTensor;
  readonly stored: string;
  readonly config?: Readonly<Record<string, unknown>>;
}

/** Weights that are packed by their own programs, made by tools/golden/quantized-weights.py. */
const golden = JSON.parse(
  await readFile(
    fileURLToPath(new URL("../../../test-fixtures/formats/quantized.json.golden", import.meta.url)),
    "utf8",
  ),
) as Readonly<Record<string, GoldenCase>>;

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "isthmus-quantized-"));
});
afterAll(() => rm(root, { recursive: true }));

const decode = ({ dtype, shape, data }: StoredTensor): Tensor => {
  const bytes = new Uint8Array(Buffer.from(data, "base64"));
  return { dtype, shape, data: new DTYPES[dtype].array(bytes.buffer, 0, sizeOf(shape)) };
};

type Parts = Readonly<Record<string, Tensor>>;

const partsOf = (name: string): Parts =>
  Object.fromEntries(
    Object.entries(entry(new Map(Object.entries(golden)), name, "case").tensors).map(([part, tensor]) => [
      part,
      decode(tensor),
    ]),
  );

/** Saves tensors as a model, and returns its folder. */
async function save(parts: Parts, config?: Readonly<Record<string, unknown>>): Promise<string> {
  const folder = await mkdtemp(join(root, "model-"));
  await saveCheckpoint(createCheckpoint(parts), join(folder, "model.safetensors"), {
    allowNonFinite: true,
  });
  if (config !== undefined)
    await writeFile(join(folder, "config.json"), JSON.stringify({ quantization_config: config }));
  return folder;
}

describe("openCheckpoint() of quantised weights", () => {
  it.each(Object.entries(golden))("reads %s as its own program does, bit for bit", async (_, form) => {
    const parts = Object.fromEntries(
      Object.entries(form.tensors).map(([part, tensor]) => [part, decode(tensor)]),
    );
    const norm = { dtype: "f32", shape: [1], data: Float32Array.of(3) } as const;
    await using checkpoint = await openCheckpoint(await save({ ...parts, "norm.weight": norm }, form.config));
    expect([...checkpoint.tensors.keys()].sort()).toEqual([form.name, "norm.weight"].sort());
    const { data, ...info } = decode(form.read);
    expect(checkpoint.tensors.get(form.name)).toEqual({ ...info, stored: form.stored });
    expect((await checkpoint.read(form.name)).data).toEqual(data);
    await fc.assert(
      fc.asyncProperty(fc.nat(data.length), fc.nat(data.length), async (one, two) => {
        const [begin, end] = [Math.min(one, two), Math.max(one, two)];
        expect(await checkpoint.readRange(form.name, begin, end)).toEqual(data.slice(begin, end));
      }),
      { numRuns: 10 },
    );
  });

  it.each([true, false])(
    "tells both forms of GPTQ apart without settings, symmetric: %s",
    async (isSymmetric) => {
      for (const offset of [0, 1]) {
        const { parts, numbers } = quantize(isSymmetric, offset);
        await using checkpoint = await openCheckpoint(await save(parts));
        const { data } = await checkpoint.read("x.weight");
        expect([...(data as Float32Array)]).toEqual(numbers);
      }
    },
  );

  it("refuses to read GPTQ without settings if its numbers do not tell its form", async () => {
    // Its zeros and integers are independent of each other.
    await using checkpoint = await openCheckpoint(await save(partsOf("GPTQ 4, bf16")));
    await expect(checkpoint.read("x.weight")).rejects.toThrow(
      /GPTQ must have its settings beside it .* whether zeros are stored less 1: put config.json/,
    );
  });
});

/** Quantises made-up weights to 4 bits as GPTQ packs them, without g_idx, in groups of 32 columns. */
function quantize(
  isSymmetric: boolean,
  offset: number,
): { readonly parts: Parts; readonly numbers: number[] } {
  const [inputs, outputs, group] = [64, 32, 32];
  const groups = inputs / group;
  const random = createRandom(1, "weights");
  const weights = Array.from({ length: inputs * outputs }, () => random.normal());
  const [words, zeroWords] = [new Int32Array((inputs / 8) * outputs), new Int32Array((groups * outputs) / 8)];
  const scales = new Float32Array(groups * outputs);
  const numbers: number[] = [];
  for (let output = 0; output < outputs; output++) {
    for (let input = 0; input < inputs; input++) {
      const place = Math.floor(input / group);
      const begin = output * inputs + place * group;
      const [low, high] = [Math.min, Math.max].map((pick) => pick(...weights.slice(begin, begin + group)));
      const most = Math.max(-(low ?? 0), high ?? 0);
      const scale = Math.fround(isSymmetric ? most / 7 : ((high ?? 0) - (low ?? 0)) / 15);
      const zero = isSymmetric ? 8 : Math.round(-(low ?? 0) / scale);
      const weight = weights[output * inputs + input] ?? 0;
      const code = Math.min(15, Math.max(0, Math.round(weight / scale) + zero));
      const word = Math.floor(input / 8) * outputs + output;
      words[word] = (words[word] ?? 0) | (code << (4 * (input % 8)));
      scales[place * outputs + output] = scale;
      const zeroWord = place * (outputs / 8) + Math.floor(output / 8);
      if (input % group === 0)
        zeroWords[zeroWord] = (zeroWords[zeroWord] ?? 0) | (((zero - offset) & 15) << (4 * (output % 8)));
      numbers.push(Math.fround((code - zero) * scale));
    }
  }
  const parts: Parts = {
    "x.qweight": { dtype: "i32", shape: [inputs / 8, outputs], data: words },
    "x.qzeros": { dtype: "i32", shape: [groups, outputs / 8], data: zeroWords },
    "x.scales": { dtype: "f32", shape: [groups, outputs], data: scales },
  };
  return { parts, numbers };
}

const text = (value: string): Tensor => {
  const data = new TextEncoder().encode(value);
  return { dtype: "u8", shape: [data.length], data };
};
const ints = (...values: readonly number[]): Tensor => ({
  dtype: "i32",
  shape: [values.length],
  data: Int32Array.from(values),
});
const STATE = "x.weight.quant_state.bitsandbytes__nf4";

describe("openCheckpoint() of damaged quantised weights", () => {
  const drop = (name: string, part: string): Parts =>
    Object.fromEntries(Object.entries(partsOf(name)).filter(([key]) => key !== part));
  const state = (values: object): Parts => ({
    ...partsOf("nf4 of bf16"),
    [STATE]: text(JSON.stringify({ blocksize: 64, dtype: "bfloat16", shape: [4, 32], ...values })),
  });

  it.each<readonly [what: string, parts: () => Parts, message: RegExp]>([
    [
      "a missing map",
      () => drop("nf4 of bf16", "x.weight.quant_map"),
      /"x.weight.quant_map" must be f32 \[16\]: it is missing/,
    ],
    ["another shape", () => state({ shape: [4, 33] }), /a byte for two of 132 numbers: it has 64/],
    ["an endless shape", () => state({ shape: [2 ** 52, 2 ** 52] }), /must have a shape of positive sizes/],
    ["a shape of text", () => state({ shape: "4" }), /must have a shape of positive sizes: it has "4"/],
    ["no blocks", () => state({ blocksize: 0 }), /must have a block size: it has 0/],
    ["half of double quantisation", () => state({ nested_offset: 1 }), /nested_blocksize and nested_offset/],
    [
      "a long description",
      () => ({ ...state({}), [STATE]: text(" ".repeat(5000)) }),
      /at most 4096 bytes: it has 5000/,
    ],
    ["a foreign description", () => ({ ...state({}), [STATE]: text("[[[") }), /must be JSON/],
    [
      "missing scales of GPTQ",
      () => drop("GPTQ 4, bf16", "x.scales"),
      /"x.scales" must be f32 or f16 or bf16 of 2 axes: it is missing/,
    ],
    [
      "a short index",
      () => ({ ...partsOf("GPTQ 4, bf16"), "x.g_idx": ints(0, 0) }),
      /integers must have 2, 3, 4, 8 bits/,
    ],
    [
      "no shape",
      () => drop("packed integers", "x.weight_shape"),
      /"x.weight_shape" must be i64 or i32 \[2\]: it is missing/,
    ],
    [
      "short scales of MXFP4",
      () => ({ ...partsOf("MXFP4"), "e.gate_up_proj_scales": text("12") }),
      /must be u8 \[2, 3, 2\]: it is u8 \[2\]/,
    ],
    [
      "scales for other rows",
      () => ({ ...partsOf("int8"), "x.SCB": { dtype: "f32", shape: [2], data: new Float32Array(2) } }),
      /"x.SCB" must be f32 \[6\]/,
    ],
    [
      "an order of the GPU",
      () => ({ ...partsOf("int8"), "x.weight_format": { ...text("\u0001"), shape: [] } }),
      /rows one after another: it is 1/,
    ],
  ])("refuses %s when it opens the file", async (_, parts, message) => {
    await expect(openCheckpoint(await save(parts()))).rejects.toThrow(message);
  });

  it.each<readonly [what: string, name: string, parts: () => Parts, message: RegExp]>([
    [
      "groups that are not there",
      "GPTQ 4, bf16",
      () => ({ "x.g_idx": ints(...new Array<number>(31).fill(0), 2) }),
      /groups in "x.g_idx" must be 0 to 1: that of column 31 is 2/,
    ],
    [
      "infinite scales",
      "nf4 of bf16",
      () => ({ "x.weight.absmax": { dtype: "f32", shape: [2], data: Float32Array.of(1, Infinity) } }),
      /all numbers of "x.weight.absmax" must be finite: number 1 is Infinity/,
    ],
    [
      "exponents that stand for no number",
      "MXFP4",
      () => ({
        "e.gate_up_proj_scales": { dtype: "u8", shape: [2, 3, 2], data: new Uint8Array(12).fill(255) },
      }),
      /scale 0 has the exponent 255/,
    ],
  ])("refuses %s when it reads the weight", async (_, name, parts, message) => {
    await using checkpoint = await openCheckpoint(await save({ ...partsOf(name), ...parts() }));
    const [weight = ""] = checkpoint.tensors.keys();
    await expect(checkpoint.read(weight)).rejects.toThrow(message);
  });

  it("refuses settings that contradict the sizes, and names both", async () => {
    const folder = await save(partsOf("AWQ"), { quant_method: "awq", bits: 8 });
    await expect(openCheckpoint(folder)).rejects.toThrow(/have 4 bits by their sizes: the settings .* say 8/);
    const other = await save(partsOf("AWQ"), { quant_method: "awq", bits: 4, version: "gemv" });
    await expect(openCheckpoint(other)).rejects.toThrow(/must be of version "gemm": config.json says "gemv"/);
  });
});
