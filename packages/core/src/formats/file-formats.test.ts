import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeTensors, type ExpectedFile, fixture } from "../../test-fixtures/fixtures.ts";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { FormatError, InputError, UnsupportedError } from "../errors.ts";
import { createBytesSource } from "../io/byte-source.ts";
import { openCheckpoint } from "../open-checkpoint.ts";
import { sizeOf } from "../tensor/shape.ts";
import { detectFormat } from "./detect-format.ts";
import { FILE_FORMATS } from "./file-formats.ts";

// Made by tools/golden/formats.py with the reference libraries of the formats.
const pathOf = (name: string): string => fixture(`formats/${name}`);
const EXPECTED: Readonly<Record<string, ExpectedFile["tensors"]>> = JSON.parse(
  readFileSync(pathOf("expected.json.golden"), "utf8"),
);
const FILES = ["stored.npz", "deflated.npz", "zip64.npz", "quants.gguf", "weights.onnx", "fp8.safetensors"];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isthmus-formats-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function openBytes(bytes: Uint8Array): Promise<Checkpoint> {
  const source = createBytesSource(bytes, pathOf("weights.onnx"));
  const format = await detectFormat(source);
  if (format === "index") throw new TypeError("Cannot open an index from bytes");
  return FILE_FORMATS[format](source, []);
}

describe("openCheckpoint() of files of other programs", () => {
  it.each(FILES)("reads %s as its reference library does", async (name) => {
    const checkpoint = await openCheckpoint(pathOf(name));
    const tensors = await describeTensors(checkpoint);
    await checkpoint.close();
    expect(tensors).toMatchObject(EXPECTED[name] as object);
  });

  it("decodes every quantised type of GGUF to the numbers of the reference", async () => {
    const expected = await openCheckpoint(pathOf("quants-expected.npz"));
    const decoded = await openCheckpoint(pathOf("quants.gguf"));
    expect(expected.tensors.size).toBe(12);
    for (const name of expected.tensors.keys()) {
      const { dtype, shape, stored } = decoded.tensors.get(name) ?? {};
      expect({ dtype, shape, stored }).toEqual({ dtype: "f32", shape: [3, 512], stored: name });
      const numbers = Array.from((await decoded.read(name)).data as Float32Array, (x) => x + 0);
      expect(numbers).toEqual(Array.from((await expected.read(name)).data as Float32Array, (x) => x + 0));
    }
    await Promise.all([expected.close(), decoded.close()]);
  });

  it("reads scaled 8-bit floats by blocks as bf16, and does not list their scales", async () => {
    const expected = await openCheckpoint(pathOf("fp8-expected.npz"));
    const decoded = await openCheckpoint(pathOf("fp8.safetensors"));
    expect((await decoded.read("blocks.weight")).data).toEqual((await expected.read("blocks.weight")).data);
    expect([...decoded.tensors.keys()].some((name) => name.includes("scale"))).toBe(false);
    expect(decoded.tensors.get("blocks.weight")?.stored).toBe("f8e4m3 with scales");
    await Promise.all([expected.close(), decoded.close()]);
  });

  it("keeps metadata of GGUF and ONNX, with their types", async () => {
    const { metadata, close } = await openCheckpoint(pathOf("quants.gguf"));
    await close();
    expect(metadata).toMatchObject({
      "general.architecture": "llama",
      "llama.block_count": "32",
      "t.u64": "18446744073709551615",
      "t.bool": "true",
      "tokenizer.ggml.tokens": JSON.stringify(["<s>", "Ġhello", '\n"']),
      "tokenizer.ggml.scores": '[0.5,-1.25,"-Infinity"]',
    });
    expect(JSON.parse(metadata["gguf.types"] as string)).toMatchObject({
      "t.u8": "u8",
      "t.f64": "f64",
      "tokenizer.ggml.tokens": "array of string",
    });
    const onnx = await openCheckpoint(pathOf("weights.onnx"));
    expect(onnx.metadata).toEqual({ note: "kept" });
    expect(onnx.files).toEqual([pathOf("weights.onnx"), pathOf("weights.onnx.data")]);
    await onnx.close();
  });

  it.each(FILES)("reads any range of %s as it reads the whole", async (name) => {
    const checkpoint = await openCheckpoint(pathOf(name));
    const places = [...checkpoint.tensors].filter(([, { shape }]) => sizeOf(shape) > 0);
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), fc.nat(), async (which, a, b) => {
        const [tensor, { shape }] = places[which % places.length]!;
        const size = sizeOf(shape) + 1;
        const [begin, end] = [Math.min(a % size, b % size), Math.max(a % size, b % size)];
        const { data } = await checkpoint.read(tensor);
        expect(await checkpoint.readRange(tensor, begin, end)).toEqual(data.slice(begin, end));
      }),
      { numRuns: 60 },
    );
    await checkpoint.close();
  });

  it("says of a cut GGUF file that it may be cut short, wherever the cut is", async () => {
    const gguf = await readFile(pathOf("quants.gguf"));
    for (const size of [40, 100, 500, Math.floor(0.75 * gguf.length)]) {
      const error = await openBytes(gguf.subarray(0, size)).catch((reason: Error) => reason);
      expect(String(error)).toMatch(/may be cut short$/);
      expect(String(error)).not.toMatch(/its (a|an|the) /);
    }
  });

  it.each(FILES)("refuses %s cut short at any byte", async (name) => {
    const bytes = await readFile(pathOf(name));
    // The end of a model of ONNX is metadata, without which it is whole.
    const step = Math.ceil(bytes.length / 150);
    for (let length = 16; length < bytes.length - 40; length += step) {
      await expect(openBytes(bytes.subarray(0, length))).rejects.toThrow(/Cannot (read|open)/);
    }
  });

  it.each(FILES)("refuses %s with a damaged byte in its own words, or reads it", async (name) => {
    const bytes = await readFile(pathOf(name));
    for (let at = 0; at < bytes.length; at += Math.ceil(bytes.length / 250)) {
      const damaged = Uint8Array.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 0x55;
      try {
        await using checkpoint = await openBytes(damaged);
        for (const tensor of checkpoint.tensors.keys()) await checkpoint.read(tensor);
      } catch (error) {
        expect([at, (error as Error).name]).toEqual([
          at,
          expect.stringMatching(/^(FormatError|UnsupportedError|InputError)$/),
        ]);
      }
    }
  });

  it("notices that a stored array is damaged by its checksum", async () => {
    const bytes = Uint8Array.from(await readFile(pathOf("stored.npz")));
    const { data } = await (await openBytes(bytes)).read("f4");
    const at = Buffer.from(bytes).indexOf(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
    bytes[at] = bytes[at]! ^ 1;
    await expect((await openBytes(bytes)).read("f4")).rejects.toThrow(/"f4.npy" must be intact/);
  });

  it("opens the one file of weights in a folder without safetensors, and says if there are several", async () => {
    await writeFile(join(folder, "pytorch_model.bin"), await readFile(fixture("module.pt")));
    const checkpoint = await openCheckpoint(folder);
    expect(checkpoint.files).toEqual([join(folder, "pytorch_model.bin")]);
    await checkpoint.close();
    await writeFile(join(folder, "model.gguf"), await readFile(pathOf("quants.gguf")));
    await expect(openCheckpoint(folder)).rejects.toThrow(
      /must hold one file of weights: it holds model.gguf, pytorch_model.bin; name one of them/,
    );
  });

  it("refuses types, versions and scales that it does not know, and says which it knows", async () => {
    const gguf = Buffer.from(await readFile(pathOf("quants.gguf")));
    gguf.writeUInt32LE(1, 4);
    await expect(openBytes(gguf)).rejects.toThrow(UnsupportedError);
    gguf.writeUInt32LE(3, 4);
    gguf.writeUInt32LE(99, gguf.indexOf("IQ4_XS", 0, "latin1") + 6 + 4 + 16);
    await expect(openBytes(gguf)).rejects.toThrow(/must be one of F32, F16, Q4_0, .*: it has number 99/);
    const scaled = (await readFile(pathOf("fp8.safetensors"))).toString("latin1");
    const path = join(folder, "odd.safetensors");
    await writeFile(path, scaled.replace('"shape": [2, 3]', '"shape": [3, 2]'), "latin1");
    await expect(openCheckpoint(path)).rejects.toThrow(/"blocks.weight_scale_inv" is f32 \[3, 2\]/);
  });

  it("refuses external data outside the folder of the model, or missing", async () => {
    const model = (await readFile(pathOf("weights.onnx"))).toString("latin1");
    const path = join(folder, "weights.onnx");
    await writeFile(path, model, "latin1");
    await expect(openCheckpoint(path)).rejects.toThrow(InputError);
    await writeFile(path, model.replaceAll("weights.onnx.data", "../eights.on.data"), "latin1");
    await expect(openCheckpoint(path)).rejects.toThrow(FormatError);
    await expect(openCheckpoint(path)).rejects.toThrow(
      /must lie in the model's folder: .* "..\/eights.on.data"/,
    );
  });
});
