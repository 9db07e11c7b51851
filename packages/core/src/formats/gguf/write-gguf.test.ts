import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCheckpoint } from "../../checkpoint/create-checkpoint.ts";
import { InputError, UnsupportedError } from "../../errors.ts";
import { createBytesSource } from "../../io/byte-source.ts";
import { createFileWriter } from "../../save/file-writer.ts";
import type { DType } from "../../tensor/dtype.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { allocateData, type Tensor } from "../../tensor/tensor.ts";
import { readGgufHeader } from "./gguf-header.ts";
import { TYPES_KEY } from "./gguf-metadata.ts";
import { layOutGguf } from "./lay-out-gguf.ts";
import { ggufTarget, withFileType, writeGguf } from "./write-gguf.ts";

const zeros = (dtype: DType, ...shape: number[]): Tensor => ({
  dtype,
  shape,
  data: allocateData(dtype, sizeOf(shape)),
});

/** Writes tensors as they are to memory. */
async function write(
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
  type?: number,
): Promise<{ readonly bytes: Buffer; readonly planned: number }> {
  const targets = new Map(
    Object.entries(tensors).map(([name, tensor]) => [name, ggufTarget(name, tensor, type)]),
  );
  const parts: Uint8Array[] = [];
  const file = {
    async write(bytes: Uint8Array) {
      parts.push(Uint8Array.from(bytes));
    },
  };
  const options = { allowNonFinite: false, signal: undefined, onBytes: () => {} };
  const layout = layOutGguf(targets, metadata);
  await writeGguf(layout, createFileWriter(createCheckpoint(tensors), file, options));
  return { bytes: Buffer.concat(parts), planned: layout.size };
}

/** Number of a quantised type. */
const Q8_0 = 8;

const read = (bytes: Uint8Array) => readGgufHeader(createBytesSource(bytes, "written"));

describe("ggufTarget()", () => {
  it("stores floats of two axes or more in the type asked for, and others in f32", () => {
    const stored = (dtype: DType, shape: readonly number[], type?: DType | number) =>
      ggufTarget("w", { dtype, shape }, type).type.name;
    expect(stored("f32", [2, 64], Q8_0)).toBe("Q8_0");
    expect(stored("f32", [64, 2], "bf16")).toBe("BF16");
    expect(stored("f16", [64], "bf16")).toBe("F32");
    expect(stored("f16", [64], Q8_0)).toBe("F32");
    expect(stored("f16", [], "f16")).toBe("F32");
    for (const shape of [[64], [2, 3]]) {
      expect(stored("f16", shape, "f32")).toBe("F32");
      expect(stored("f16", shape, "f64")).toBe("F64");
      expect(stored("f16", shape)).toBe("F16");
      expect(stored("i32", shape, "bf16")).toBe("I32");
      expect(stored("u16", shape, "f32")).toBe("I32");
    }
  });

  it("says which type or how many axes GGUF lacks", () => {
    const make = (dtype: DType, shape: readonly number[]) => () =>
      ggufTarget("w", { dtype, shape }, undefined);
    expect(ggufTarget("w", { dtype: "f32", shape: [1, 1, 1, 1] }, undefined).shape).toEqual([1, 1, 1, 1]);
    for (const [made, feature, message] of [
      [make("u64", [2]), "u64 in GGUF", "they are u64; write safetensors or npz"],
      [make("f32", [1, 1, 1, 1, 1]), "rank 5 in GGUF", "may have 4 axes: it is [1, 1, 1, 1, 1]"],
    ] as const) {
      expect(made).toThrow(UnsupportedError);
      expect(made).toThrow(message);
      expect(made).toThrow(expect.objectContaining({ feature }));
    }
  });
});

describe("writeGguf()", () => {
  it("writes the bytes that are planned, which begin with the name and version of the format", async () => {
    const text = fc.string({ unit: fc.constantFrom("a", "字", "é"), maxLength: 60 });
    const tensor = fc
      .array(fc.integer({ min: 0, max: 9 }), { maxLength: 3 })
      .map((shape) => zeros("f32", ...shape));
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(text, tensor, { noNullPrototype: true }),
        fc.dictionary(text, text, { noNullPrototype: true }),
        async (tensors, metadata) => {
          const { bytes, planned } = await write(tensors, metadata);
          expect(bytes).toHaveLength(planned);
          expect([...bytes.subarray(0, 8)]).toEqual(
            [..."GGUF"].map((letter) => letter.charCodeAt(0)).concat(3, 0, 0, 0),
          );
        },
      ),
    );
  });

  it.each([1, 8, 64, 2 ** 20])("places tensors at multiples of %i, if metadata say so", async (alignment) => {
    const tensors = { a: zeros("f32", 3), b: zeros("f16", 5, 2), c: zeros("i8", 7) };
    const types = JSON.stringify({ "general.alignment": "u32" });
    const { bytes } = await write(tensors, { "general.alignment": String(alignment), [TYPES_KEY]: types });
    const header = await read(bytes);
    const places = [...header.tensors.values()].map(({ begin }) => begin);
    expect(places.map((begin) => begin % alignment)).toEqual([0, 0, 0]);
    const [a = 0, b = 0, c = 0] = places;
    expect([b - a, c - b, bytes.length - c]).toEqual(
      [12, 20, 7].map((size) => Math.ceil(size / alignment) * alignment),
    );
  });

  it.each(["0", "-32", "1.5", "2097152", "wide"])(
    "refuses to place tensors at multiples of %s",
    async (text) => {
      const writing = write({ a: zeros("f32", 3) }, { "general.alignment": text });
      await expect(writing).rejects.toThrow(InputError);
      await expect(writing).rejects.toThrow(
        `Cannot write a GGUF file as general.alignment must be a whole number from 1 to 2^20: it is ${text}`,
      );
      await expect(writing).rejects.toMatchObject({ input: "general.alignment" });
    },
  );

  it("names the tensor whose numbers are too large for the scales of blocks", async () => {
    const large = zeros("f32", 1, 32);
    large.data.fill(1e8 as never);
    const writing = write({ fine: zeros("f32", 1, 32), large }, {}, Q8_0);
    await expect(writing).rejects.toMatchObject({ input: "large" });
    await expect(writing).rejects.toThrow(
      'Cannot save "large" as q8_0 as its numbers must be finite, and small enough for scales of 16 bits, below 5e5: some are not; choose f32 or bf16',
    );
  });

  it("states the type of most numbers, or the encoding, in metadata of a model", () => {
    const said = (
      shapes: Readonly<Record<string, readonly [DType, number]>>,
      metadata: Readonly<Record<string, string>>,
      fileType?: number,
    ) => {
      const targets = Object.entries(shapes).map(
        ([name, [dtype, size]]) => [name, ggufTarget(name, { dtype, shape: [size] }, undefined)] as const,
      );
      return withFileType(metadata, new Map(targets), fileType);
    };
    const types = JSON.stringify({ "general.file_type": "u32" });
    const told = { "general.architecture": "llama", "general.file_type": "7", [TYPES_KEY]: types };
    const typeOf = (...args: Parameters<typeof said>) => said(...args)["general.file_type"];
    expect(typeOf({ a: ["f32", 4], c: ["f16", 5] }, told)).toBe("1");
    expect(typeOf({ c: ["bf16", 5], a: ["f32", 4] }, told)).toBe("32");
    expect(typeOf({ a: ["f32", 4], c: ["f16", 3] }, told)).toBe("0");
    expect(typeOf({ a: ["f64", 2] }, told)).toBe("7");
    expect(typeOf({ a: ["f32", 2] }, told, 15)).toBe("15");
    expect(said({ a: ["f32", 2] }, { "general.architecture": "llama" }, 15)).toEqual({
      "general.architecture": "llama",
      "general.file_type": "15",
      "general.quantization_version": "2",
      [TYPES_KEY]: JSON.stringify({ "general.file_type": "u32", "general.quantization_version": "u32" }),
    });
    expect(said({ a: ["f32", 2] }, { seed: "1" }, 15)).toEqual({ seed: "1" });
  });
});
