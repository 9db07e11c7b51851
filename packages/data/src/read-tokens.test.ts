import { createCheckpoint, createTensor, saveCheckpoint } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeNpy, npyHeader } from "../test/encode-npy.ts";
import { encodeZip } from "../test/encode-zip.ts";
import { temporaryFolder } from "../test/temporary-folder.ts";
import { createTokenDataSet } from "./create-token-data-set.ts";
import { openDataSet } from "./open-data-set.ts";

const folder = temporaryFolder();

/** Writes numbers with nothing around them, little-endian. */
function writeNumbers(name: string, numbers: Uint16Array | Uint32Array | Int32Array): string {
  return folder.write(name, new Uint8Array(numbers.buffer));
}

const ids = Uint16Array.from({ length: 40 }, (_, i) => (7 * i + 1) % 300);
const context = 5;

describe("openDataSet() of tokens", () => {
  const expected = createTokenDataSet(ids, { context }).read(0, 9);

  it("openDataSet() reads u16 and u32, by the vocabulary or the name", async () => {
    const short = writeNumbers("short.bin", ids);
    const long = writeNumbers("long.bin", Uint32Array.from(ids));
    const name = `tokens:${short}`;
    const data = await openDataSet(name, { context });
    expect(data).toMatchObject({ name, size: 9, exampleShape: [5], classes: 1 + Math.max(...ids) });
    expect(data.read(0, 9)).toEqual(expected);
    for (const [path, vocabularySize] of [
      [`${long},u32`, 0],
      [long, 70_000],
      [`${short},u16`, 70_000],
    ] as const) {
      const opened = await openDataSet(`tokens:${path}:train@9`, { context, vocabularySize });
      expect(opened.read(0, 9)).toEqual(expected);
    }
    expect((await openDataSet(name, { context, vocabularySize: 512 })).classes).toBe(512);
    expect((await openDataSet(`${name}@2`, { context })).size).toBe(2);
  });

  it("openDataSet() reads files of llm.c, whose header says what follows", async () => {
    for (const [magic, numbers] of [
      [20240520, ids],
      [20240801, Uint32Array.from(ids)],
    ] as const) {
      const header = new Int32Array(256);
      header.set([magic, 1, ids.length]);
      const bytes = Buffer.concat([new Uint8Array(header.buffer), new Uint8Array(numbers.buffer)]);
      const data = await openDataSet(`tokens:${folder.write("llm.bin", bytes)}`, { context });
      expect(data.read(0, 9)).toEqual(expected);
      const cut = folder.write("cut.bin", bytes.subarray(0, bytes.length - 4));
      await expect(openDataSet(`tokens:${cut}`)).rejects.toThrow(/of which its header claims 40/);
    }
  });

  it("openDataSet() reads arrays of safetensors: one of a usual name or the only one, rows as examples", async () => {
    let files = 0;
    const write = async (tensors: Parameters<typeof createCheckpoint>[0]): Promise<string> => {
      const file = `${folder.path}/ids${files++}.safetensors`;
      await saveCheckpoint(createCheckpoint(tensors), file);
      return `tokens:${file}`;
    };
    const tokens = createTensor("i32", [40], Int32Array.from(ids));
    const rows = createTensor("i32", [8, 5], Int32Array.from(ids));
    const single = await write({ any: tokens });
    expect((await openDataSet(single, { context })).read(0, 9)).toEqual(expected);
    const both = await write({ tokens_train: rows, tokens_test: tokens, other: tokens });
    expect((await openDataSet(both, { context })).read(0, 9)).toEqual(expected);
    const examples = await openDataSet(`${both}:train`, { vocabularySize: 300 });
    expect(examples).toMatchObject({ size: 8, exampleShape: [5], labelling: "next", classes: 300 });
    expect(examples.read(0, 8).inputs.dtype).toBe("i64");
    await expect(openDataSet(`${both}:train`, { vocabularySize: 270 })).rejects.toThrow(
      /must be classes from 0 to 269: label 39 is 274$/,
    );
    await expect(openDataSet(await write({ a: tokens, b: tokens }))).rejects.toThrow(
      /must be named tokens, .*: it has a, b$/,
    );
    const floats = createTensor("f32", [2], new Float32Array(2));
    await expect(openDataSet(await write({ a: floats }))).rejects.toThrow(
      /must be integers, .*: they are f32 \[2\]$/,
    );
  });

  it("openDataSet() reads arrays of NumPy's files", async () => {
    const npy = encodeNpy(npyHeader("<u2", [40]), new Uint8Array(ids.buffer));
    const rows = encodeNpy(npyHeader("<u2", [4, 10]), new Uint8Array(ids.buffer));
    const npz = encodeZip([
      { name: "ids.npy", bytes: npy },
      { name: "other.npy", bytes: rows },
    ]);
    for (const path of [folder.write("ids.npy", npy), folder.write("ids.npz", npz)]) {
      expect((await openDataSet(`tokens:${path}`, { context })).read(0, 9)).toEqual(expected);
    }
    expect(await openDataSet(`tokens:${folder.write("rows.npy", rows)}`)).toMatchObject({
      size: 4,
      exampleShape: [10],
    });
  });

  it("openDataSet() says which token is not in the vocabulary, and what may be the reason", async () => {
    const short = writeNumbers("wrong.bin", ids);
    await expect(openDataSet(`tokens:${short}`, { vocabularySize: 270 })).rejects.toThrow(
      /must be in the model's vocabulary, from 0 to 269: token 39 is 274; check that it was made with/,
    );
    await expect(openDataSet(`tokens:${short},u32`)).rejects.toThrow(
      /from 0 to 16777215: token 18 is 17039613;/,
    );
    const long = writeNumbers("halves.bin", Uint32Array.from(ids));
    await expect(openDataSet(`tokens:${long}`)).rejects.toThrow(/every second one is 0, as if they were u32/);
    const odd = folder.write("odd.bin", new Uint8Array(3));
    await expect(openDataSet(`tokens:${odd}`)).rejects.toThrow(/whole numbers of type u16: it has 3 bytes/);
    await expect(openDataSet("tokens:")).rejects.toThrow(/"tokens:" must be followed by a file/);
    await expect(openDataSet(`tokens:${short}`, { scaling: { mean: 0, std: 1 } })).rejects.toThrow(
      /must be bytes: they are token ids/,
    );
    await expect(openDataSet(`tokens:${short}`, { context: 64 })).rejects.toThrow(/at least 65 tokens/);
  });

  it("createTokenDataSet() predicts each token once, whatever the type of the numbers", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 2000 }), { minLength: 6, maxLength: 50 }),
        fc.integer({ min: 2, max: 5 }),
        (numbers, length) => {
          const data = createTokenDataSet(Int32Array.from(numbers), { context: length });
          const { inputs, labels } = data.read(0, data.size);
          const rows = Array.from({ length: data.size }, (_, i) =>
            Array.from(inputs.data.subarray(i * length, (i + 1) * length), Number),
          );
          const predicted = [numbers[0], ...rows.flatMap((row) => row.slice(1))];
          expect(predicted).toEqual(numbers.slice(0, predicted.length));
          expect([...labels]).toEqual(rows.map((_, i) => numbers[i * (length - 1) + length]));
          const short = createTokenDataSet(Uint16Array.from(numbers), { context: length });
          expect(short.read(0, data.size)).toEqual({ inputs, labels });
        },
      ),
    );
  });

  it("openDataSet() encodes texts as its option says, and checks the ids", async () => {
    const path = folder.write("text.txt", Buffer.from("aé😀".repeat(20)));
    const encode = (text: string) => Int32Array.from(text, (character) => character.length + 40);
    const data = await openDataSet(`text:${path}:train`, { context: 4, encode, vocabularySize: 50 });
    expect(Array.from(data.read(0, 1).inputs.data, Number)).toEqual([41, 41, 42, 41]);
    expect(data).toMatchObject({ size: 17, classes: 50 });
    await expect(openDataSet(`text:${path}`, { encode, vocabularySize: 42 })).rejects.toThrow(
      /from 0 to 41: token 2 is 42/,
    );
  });
});
