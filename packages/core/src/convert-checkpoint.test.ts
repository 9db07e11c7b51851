import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fixture } from "../test-fixtures/fixtures.ts";
import { createCheckpoint } from "./checkpoint/create-checkpoint.ts";
import { defineCheckpoint } from "./checkpoint/define-checkpoint.ts";
import { type ConvertCheckpointOptions, convertCheckpoint, WRITTEN_FORMATS } from "./convert-checkpoint.ts";
import { InputError, UnsupportedError, UsageError } from "./errors.ts";
import { encodeDirectory } from "./formats/zip/encode-headers.ts";
import { openCheckpoint } from "./open-checkpoint.ts";
import { convertData } from "./tensor/convert.ts";
import { DTYPES, type DType } from "./tensor/dtype.ts";
import { sizeOf } from "./tensor/shape.ts";
import { type Tensor, viewData } from "./tensor/tensor.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isthmus-convert-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Tensors as they are read back after they were written. */
async function converted(
  tensors: Record<string, Tensor>,
  file: string,
  options: ConvertCheckpointOptions = {},
): Promise<Record<string, Tensor>> {
  const path = join(folder, file.replace(".torch", ".pt").replace(".tfjs", ".json"));
  const written = await convertCheckpoint(createCheckpoint(tensors), path, { overwrite: true, ...options });
  expect(written.files.at(-1)).toBe(path);
  const sizes = await Promise.all(written.files.map(async (name) => (await stat(name)).size));
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(written.bytes);
  return readAll(path);
}

async function readAll(path: string): Promise<Record<string, Tensor>> {
  const checkpoint = await openCheckpoint(path);
  const tensors: [string, Tensor][] = [];
  for (const name of checkpoint.tensors.keys()) tensors.push([name, await checkpoint.read(name)]);
  await checkpoint.close();
  // Not by assignment, as a tensor may be named "__proto__".
  return Object.fromEntries(tensors);
}

/** Element types that a format has instead of others. */
const TYPES: Readonly<Record<string, Readonly<Partial<Record<DType, DType>>>>> = {
  safetensors: {},
  torch: {},
  npz: { bf16: "f32", f8e4m3: "f16", f8e5m2: "f16" },
  gguf: { bool: "i8", u8: "i16", u16: "i32", u32: "i64", f8e4m3: "f16", f8e5m2: "f16" },
  tfjs: {
    ...{ f16: "f32", bf16: "f32", f8e4m3: "f32", f8e5m2: "f32" },
    ...{ u8: "i32", i8: "i32", u16: "i32", i16: "i32" },
  },
};
/** Element types that a format refuses, as none of its own holds all their numbers. */
const REFUSED: Readonly<Record<string, readonly DType[]>> = {
  gguf: ["u64"],
  tfjs: ["f64", "u32", "i64", "u64"],
};

const anyTensor = (dtypes: readonly DType[]): fc.Arbitrary<Tensor> =>
  fc
    .record({
      dtype: fc.constantFrom(...dtypes),
      shape: fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 }),
    })
    .chain(({ dtype, shape }) => {
      const bytes = sizeOf(shape) * DTYPES[dtype].bytes;
      return fc
        .uint8Array({ minLength: bytes, maxLength: bytes })
        .map((content) => viewData(dtype, dtype === "bool" ? content.map((byte) => byte & 1) : content))
        .map((data) => ({ dtype, shape, data }));
    });

describe("convertCheckpoint()", () => {
  it.each(WRITTEN_FORMATS)("writes %s so that the same numbers are read again", async (format) => {
    const dtypes = (Object.keys(DTYPES) as DType[]).filter((dtype) => !REFUSED[format]?.includes(dtype));
    const names = fc.string({ unit: "grapheme", maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(names, anyTensor(dtypes), { minKeys: 1, noNullPrototype: true }),
        async (tensors) => {
          const read = await converted(tensors, `x.${format}`, { allowNonFinite: true });
          for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
            const type = TYPES[format]?.[dtype] ?? dtype;
            expect(read[name]).toEqual({ dtype: type, shape, data: convertData(data, dtype, type) });
          }
          expect(Object.keys(read).sort()).toEqual(Object.keys(tensors).sort());
        },
      ),
      { numRuns: 40 },
    );
  });

  it.each(WRITTEN_FORMATS)("writes %s with names that are no safe paths, or none at all", async (format) => {
    const names = ["/", "../up", "a\\b", "C:", "", "__proto__", "a.npy", "layer/0", "gewöhnlich ✓"];
    const tensors = Object.fromEntries(names.map((name) => [name, scalar("f32")]));
    expect(await converted(tensors, `names.${format}`)).toEqual(tensors);
  });

  it("writes from any format to any other, and from a path", async () => {
    const output = join(folder, "a.npz");
    const input = fixture("formats/quants.gguf");
    await convertCheckpoint(input, output, { dtype: "f32" });
    const [before, after] = [await readAll(input), await readAll(output)];
    expect(Object.keys(after)).toEqual(Object.keys(before));
    expect(after["Q4_K"]).toEqual(before["Q4_K"]);
    await expect(convertCheckpoint(input, output)).rejects.toThrow(/must not replace an earlier file/);
  });

  it("writes q8_0 as the reference does, and f16 if rows have no whole blocks", async () => {
    const { q8_0 } = JSON.parse(readFileSync(fixture("formats/expected.json.golden"), "utf8"));
    const data = viewData("f32", Uint8Array.from(Buffer.from(q8_0.numbers, "hex")));
    const norm: Tensor = { dtype: "bf16", shape: [32], data: new Uint16Array(32).fill(0x3f80) };
    const odd: Tensor = { dtype: "f32", shape: [2, 3], data: new Float32Array(6).fill(1 / 3) };
    const tensors = { weight: { dtype: "f32", shape: [4, 64], data } as const, norm, odd };
    const read = await converted(tensors, "q8.gguf", { dtype: "q8_0" });
    const file = readFileSync(join(folder, "q8.gguf"));
    expect(file.includes(Buffer.from(q8_0.blocks, "hex"))).toBe(true);
    expect(read["norm"]).toEqual({ dtype: "f32", shape: [32], data: new Float32Array(32).fill(1) });
    expect(read["odd"]?.dtype).toBe("f16");
    const large = { weight: { dtype: "f32", shape: [1, 32], data: new Float32Array(32).fill(1e8) } as const };
    await expect(converted(large, "large.gguf", { dtype: "q8_0" })).rejects.toThrow(
      /small enough for scales of 16 bits/,
    );
    const withNaN = new Float32Array(64).fill(1);
    withNaN[40] = Number.NaN;
    const nan = { weight: { dtype: "f32", shape: [2, 32], data: withNaN } as const };
    await expect(converted(nan, "nan.gguf", { dtype: "q8_0", allowNonFinite: true })).rejects.toThrow(
      /must be finite, and small enough .*: some are not/,
    );
  });

  it("keeps metadata of GGUF through safetensors and back, with their types", async () => {
    const [middle, last] = [join(folder, "m.safetensors"), join(folder, "m.gguf")];
    await convertCheckpoint(fixture("formats/quants.gguf"), middle, { dtype: "bf16" });
    await convertCheckpoint(middle, last);
    const original = readFileSync(fixture("formats/quants.gguf"));
    const written = readFileSync(last);
    // The reference wrote the entries in another order than keys of safetensors have.
    for (const [key, bytes] of Object.entries({
      ...{ "t.u64": 8, "t.f32": 4, "t.bool": 1, "t.i16": 2, "llama.block_count": 4 },
      "tokenizer.ggml.tokens": 12 + 24 + 3 + 7 + 2,
      "tokenizer.ggml.scores": 12 + 12,
    })) {
      const at = original.indexOf(key);
      expect(written.includes(original.subarray(at - 8, at + key.length + 4 + bytes))).toBe(true);
    }
    const metadata = async (path: string) => {
      const checkpoint = await openCheckpoint(path);
      await checkpoint.close();
      const { "gguf.types": types = "", ...texts } = checkpoint.metadata;
      return [texts, JSON.parse(types)];
    };
    expect(await metadata(last)).toEqual(await metadata(fixture("formats/quants.gguf")));
  });

  it("refuses metadata that are not of their types", async () => {
    const tensors = { a: { dtype: "f32", shape: [1], data: new Float32Array(1) } as const };
    for (const [type, text] of [
      ["u8", "256"],
      ["f32", "much"],
      ["bool", "maybe"],
      ["array of u8", "7"],
      ["array of u8", "[1.5]"],
      ["what", "1"],
    ] as const) {
      const checkpoint = createCheckpoint(tensors, { k: text, "gguf.types": JSON.stringify({ k: type }) });
      const writing = convertCheckpoint(checkpoint, join(folder, "bad.gguf"));
      await expect(writing).rejects.toThrow(InputError);
      await expect(writing).rejects.toThrow(/Cannot write metadata "k" as it must be of the type/);
    }
  });

  it("leaves nothing behind that is not complete, and never replaces what it reads", async () => {
    const inner = join(folder, "new");
    const broken = defineCheckpoint({
      source: "broken",
      tensors: new Map([["a", { dtype: "f32", shape: [3] }]]),
      readInto: async () => {
        throw new InputError("Cannot read", { input: "a" });
      },
    });
    for (const file of ["x.npz", "x.gguf", "model.json"]) {
      await expect(convertCheckpoint(broken, join(inner, file))).rejects.toThrow(/Cannot read/);
      await expect(readdir(inner)).rejects.toThrow(/ENOENT/);
    }
    const path = join(folder, "own.npz");
    await convertCheckpoint(fixture("formats/zip64.npz"), path);
    await expect(convertCheckpoint(path, path, { overwrite: true })).rejects.toThrow(
      /must not be a file that is read/,
    );
  });

  it("takes a name without an ending, with a slash, or of a folder that is there, for a folder", async () => {
    const names = ["plain", "with.dot/", "llama-3.1", "there.foo"].map((name) => join(folder, "named", name));
    await mkdir(join(folder, "named", "there.foo"), { recursive: true });
    for (const path of names) {
      const { files } = await convertCheckpoint(createCheckpoint({ a: scalar("f32") }), path);
      expect(files).toEqual([join(path, "model.safetensors")]);
    }
  });

  it("divides weights of TensorFlow.js among files of 4 MB, or as asked, and removes files of earlier ones", async () => {
    const path = join(folder, "shards", "model.json");
    const data = new Float32Array(2 ** 21 + 5).map((_, i) => i);
    const tensors = { a: { dtype: "f32", shape: [data.length], data } as const, b: scalar("i32") };
    const write = (options: ConvertCheckpointOptions) =>
      convertCheckpoint(createCheckpoint(tensors), path, { overwrite: true, ...options });
    const shard = (i: number, of: number) => join(dirname(path), `group1-shard${i}of${of}.bin`);
    await write({});
    const sizes = await Promise.all([1, 2, 3].map(async (i) => (await stat(shard(i, 3))).size));
    expect(sizes).toEqual([2 ** 22, 2 ** 22, 24]);
    expect(await readAll(path)).toEqual(tensors);
    await write({ maxShardBytes: 7e6 });
    expect((await readdir(dirname(path))).sort()).toEqual([
      ...["group1-shard1of2.bin", "group1-shard2of2.bin", "model.json"],
    ]);
    expect(await readAll(path)).toEqual(tensors);
    // Names of files that are taken: replaced, too.
    await write({ maxShardBytes: 7e6, dtype: "f16", allowNonFinite: true });
    expect((await stat(shard(1, 1))).size).toBe(2 * data.length + 4);
    const into = await convertCheckpoint(createCheckpoint(tensors), `${folder}/tfjs-folder/`, {
      format: "tfjs",
    });
    expect(into.path).toBe(join(folder, "tfjs-folder", "model.json"));
    expect(await readAll(into.path)).toEqual(tensors);
  });

  it("keeps two models of TensorFlow.js in a folder apart, and never replaces JSON of another kind", async () => {
    for (const [name, value] of [
      ["one", 1],
      ["two", 2],
    ] as const)
      await converted({ a: { dtype: "f32", shape: [1], data: Float32Array.of(value) } }, `${name}.json`);
    expect((await readAll(join(folder, "one.json")))["a"]?.data).toEqual(Float32Array.of(1));
    const config = join(folder, "config.json");
    await writeFile(config, "{}");
    await expect(converted({ a: scalar("f32") }, "config.json")).rejects.toThrow(
      /must not replace a file that is no model/,
    );
    expect(readFileSync(config, "utf8")).toBe("{}");
  });

  it("refuses numbers that are not finite, unless allowed", async () => {
    const tensors = { a: { dtype: "f32", shape: [2], data: Float32Array.of(1, Number.NaN) } as const };
    await expect(converted(tensors, "nan.npz")).rejects.toThrow(/1 of 2 is NaN/);
    expect((await converted(tensors, "nan.npz", { allowNonFinite: true }))["a"]?.data[1]).toBeNaN();
  });

  it.each<[string, ConvertCheckpointOptions, Tensor, RegExp]>([
    ["x.npz", { dtype: "q8_0" }, scalar("f32"), /q8_0 is a type of GGUF/],
    ["x.npz", { dtype: "bf16" }, scalar("f32"), /it has no bf16; choose f16, f32 or f64/],
    [
      "x.npz",
      { dtype: "i8" },
      scalar("f32"),
      /must be a floating-point type, in GGUF one of q4_0, .*iq4_xs, or .* fp8_scaled: it is "i8"/,
    ],
    [
      "x.gguf",
      { dtype: "fp8_scaled" },
      scalar("f32"),
      /fp8_scaled is an encoding of safetensors: .* is gguf/,
    ],
    ["x.npz", { maxShardBytes: 10 }, scalar("f32"), /only safetensors, gguf and tfjs are written in shards/],
    [
      "x.gguf",
      { dtype: "f8e4m3" },
      scalar("f32"),
      /GGUF must have the element type: it has no f8e4m3; choose one of f32, f16, .*q8_0/,
    ],
    ["x.json", { dtype: "bf16" }, scalar("f32"), /it has no bf16; choose f16 or f32/],
    ["x.json", {}, scalar("f64"), /they are f64; choose --dtype f32, which rounds them/],
    ["x.json", {}, scalar("i64"), /they are i64; leave the tensor out/],
    ["x.foo", {}, scalar("f32"), /one of \.safetensors, .*: it is \.foo; name ".*x\.foo\/" for a folder/],
    ["x.gguf", {}, scalar("u64"), /GGUF has no type for its elements: they are u64/],
    ["x.gguf", {}, { dtype: "u8", shape: [1, 1, 1, 1, 1], data: new Uint8Array(1) }, /may have 4 axes/],
    ["x", { format: "pickle" as "npz" }, scalar("f32"), /must be one of safetensors, torch, npz, gguf, tfjs/],
  ])("refuses to write %s with %o", async (file, options, tensor, message) => {
    const writing = convertCheckpoint(createCheckpoint({ a: tensor }), join(folder, "r", file), options);
    await expect(writing).rejects.toThrow(message);
    const error = await writing.catch((reason: unknown) => reason);
    expect(error instanceof UsageError || error instanceof UnsupportedError).toBe(true);
  });
});

function scalar(dtype: DType): Tensor {
  return { dtype, shape: [], data: new DTYPES[dtype].array(1) };
}

describe("encodeDirectory()", () => {
  it("writes places beyond 4 GB, and many files, in fields of 64 bits", () => {
    const entry = { name: "a", size: 2 ** 33, crc32: 1, begin: 2 ** 34 };
    const directory = Buffer.from(encodeDirectory([entry], 2 ** 35));
    expect(directory.readBigUInt64LE(46 + 1 + 4)).toBe(2n ** 33n);
    expect(directory.readBigUInt64LE(46 + 1 + 4 + 16)).toBe(2n ** 34n);
    expect(directory.readUInt32LE(directory.length - 22 + 16)).toBe(0xffffffff);
    expect(directory.readBigUInt64LE(directory.length - 22 - 20 - 56 + 48)).toBe(2n ** 35n);
    const many = Array.from({ length: 70_000 }, () => ({ ...entry, size: 1, begin: 0 }));
    const end = Buffer.from(encodeDirectory(many, 0)).subarray(-22 - 20 - 56);
    expect([end.readUInt32LE(0), end.readBigUInt64LE(24)]).toEqual([0x06064b50, 70_000n]);
  });
});
