import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createCheckpoint } from "../../checkpoint/create-checkpoint.ts";
import { convertCheckpoint } from "../../convert-checkpoint.ts";
import { FormatError, InputError, UsageError } from "../../errors.ts";
import { openCheckpoint } from "../../open-checkpoint.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { TYPES_KEY } from "./gguf-metadata.ts";
import { ggufTypeOf } from "./gguf-types.ts";
import { quantizeRows } from "./kernels/quantize-rows.ts";
import { readImportance } from "./read-importance.ts";

const folder = mkdtempSync(join(tmpdir(), "isthmus-importance-"));
afterAll(() => rmSync(folder, { recursive: true }));

const tensor = (shape: readonly number[], numbers: readonly number[]): Tensor => ({
  dtype: "f32",
  shape,
  data: Float32Array.from(numbers),
});

/** Writes the older form: entries of name, calls and numbers, then a number of parts and the name of a text. */
function writeOld(
  name: string,
  entries: readonly (readonly [string, number, readonly number[]])[],
  end?: readonly [number, string],
): string {
  const i32 = (value: number): Buffer => Buffer.from(Int32Array.of(value).buffer);
  const text = (value: string): Buffer => Buffer.concat([i32(Buffer.byteLength(value)), Buffer.from(value)]);
  const parts = entries.map(([matrix, calls, numbers]) =>
    Buffer.concat([
      text(matrix),
      i32(calls),
      i32(numbers.length),
      Buffer.from(Float32Array.from(numbers).buffer),
    ]),
  );
  const last = end === undefined ? [] : [i32(end[0]), text(end[1])];
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat([i32(entries.length), ...parts, ...last]));
  return path;
}

/** Writes the form of GGUF. */
async function writeNew(name: string, tensors: Readonly<Record<string, Tensor>>): Promise<string> {
  const path = join(folder, name);
  const types = { "imatrix.datasets": "array of string", "imatrix.chunk_count": "u32" };
  const metadata = {
    "general.type": "imatrix",
    "imatrix.datasets": '["wiki.txt"]',
    "imatrix.chunk_count": "8",
    [TYPES_KEY]: JSON.stringify(types),
  };
  await convertCheckpoint(createCheckpoint(tensors, metadata), path, { overwrite: true });
  return path;
}

describe("readImportance()", () => {
  it("reads mean squares of both forms", async () => {
    const old = await readImportance(writeOld("a.dat", [["blk.0.w.weight", 4, [8, 2, 0]]], [12, "wiki.txt"]));
    expect(old).toEqual({
      file: "a.dat",
      columns: new Map([["blk.0.w.weight", Float32Array.of(2, 0.5, 0)]]),
      dataset: "wiki.txt",
      chunks: 12,
    });
    const stack = await writeNew("a.gguf", {
      "blk.0.w.weight.in_sum2": tensor([3, 2], [8, 4, 5, 5, 9, 6]),
      "blk.0.w.weight.counts": tensor([3, 1], [4, 0, 3]),
    });
    expect(await readImportance(stack)).toEqual({
      file: "a.gguf",
      columns: new Map([["blk.0.w.weight", Float32Array.of(2, 1, 1, 1, 3, 2)]]),
      dataset: "wiki.txt",
      chunks: 8,
    });
    expect(await readImportance(writeOld("b.dat", [["w", 0, [3]]]))).toMatchObject({
      columns: new Map([["w", Float32Array.of(3)]]),
      dataset: undefined,
      chunks: 0,
    });
  });

  it("refuses files that are cut, foreign, or hold numbers without sense", async () => {
    const whole = readFileSync(writeOld("whole.dat", [["name", 4, [8, 2, 0]]]));
    for (let length = 0; length < whole.length; length++) {
      const path = join(folder, "cut.dat");
      writeFileSync(path, whole.subarray(0, length));
      await expect(readImportance(path), `${length} bytes`).rejects.toThrow(FormatError);
    }
    const claims = join(folder, "claims.dat");
    writeFileSync(claims, Buffer.from(Int32Array.of(1, 2 ** 30, 0, 0).buffer));
    await expect(readImportance(claims)).rejects.toThrow(/room for its text: it claims 1073741824/);
    for (const [bad, message] of [
      [[1, -1], /column 1 of "w" is -1/],
      [[Number.NaN], /column 0 of "w" is NaN/],
      [[1, 1, Number.POSITIVE_INFINITY], /column 2 of "w" is Infinity/],
    ] as const) {
      const reading = readImportance(writeOld("bad.dat", [["w", 1, bad]]));
      await expect(reading).rejects.toThrow(InputError);
      await expect(reading).rejects.toThrow(message);
    }
    const model = await writeNew("model.gguf", { "w.weight": tensor([1, 1], [1]) });
    await expect(readImportance(model)).rejects.toThrow(
      /tensors that end in ".in_sum2": it has none; is it a model/,
    );
    const half = await writeNew("half.gguf", { "w.in_sum2": tensor([2], [1, 1]) });
    await expect(readImportance(half)).rejects.toThrow(/must have "w.counts" in F32: it has none/);
  });
});

describe("convertCheckpoint() with importance", () => {
  const columns = 256;
  const rows = 1100;
  const numbers = Array.from({ length: 2 * rows * columns }, (_, i) => Math.sin(i * i) / 8);
  const weights = Array.from({ length: 2 * columns }, (_, i) => 1 + (i % 7) ** 3);
  const model = (shape: readonly number[]) =>
    createCheckpoint(
      { "blk.0.ffn_up_exps.weight": tensor(shape, numbers), "output_norm.weight": tensor([2], [1, 1]) },
      {
        "general.architecture": "llama",
      },
    );

  it("weighs the columns of each matrix of a stack by its own, and names where the weights come from", async () => {
    const path = writeOld("stack.dat", [["blk.0.ffn_up_exps.weight", 1, weights]], [5, "wiki.txt"]);
    const notes: string[] = [];
    const output = join(folder, "stack.gguf");
    await convertCheckpoint(model([2, rows, columns]), output, {
      dtype: "q4_k_s",
      importance: await readImportance(path),
      onNote: (note) => notes.push(note),
    });
    expect(notes).toEqual([]);
    const file = readFileSync(output);
    for (const matrix of [0, 1]) {
      const data = Float32Array.from(numbers).subarray(
        matrix * rows * columns,
        (matrix + 1) * rows * columns,
      );
      const importance = Float32Array.from(weights).subarray(matrix * columns, (matrix + 1) * columns);
      const blocks = quantizeRows({ number: 12, type: ggufTypeOf(12), data, columns, importance });
      expect(blocks !== undefined && file.includes(Buffer.from(blocks))).toBe(true);
    }
    await using written = await openCheckpoint(output);
    expect(written.metadata).toMatchObject({
      "general.file_type": "14",
      "quantize.imatrix.file": "stack.dat",
      "quantize.imatrix.dataset": "wiki.txt",
      "quantize.imatrix.entries_count": "1",
      "quantize.imatrix.chunks_count": "5",
    });
  });

  it("refuses the importance of another model, and tells which matrices have none", async () => {
    const output = join(folder, "other.gguf");
    const short = await readImportance(writeOld("short.dat", [["blk.0.ffn_up_exps.weight", 1, [1, 2]]]));
    const network = model([2, rows, columns]);
    await expect(convertCheckpoint(network, output, { dtype: "q4_k_s", importance: short })).rejects.toThrow(
      /its importance must have a number for each column, 512: it has 2; measure the importance of this model/,
    );
    const notes: string[] = [];
    const other = await readImportance(writeOld("other.dat", [["blk.9.ffn_up_exps.weight", 1, [1, 2]]]));
    await convertCheckpoint(network, output, {
      dtype: "q4_k_s",
      importance: other,
      onNote: (note) => notes.push(note),
    });
    expect(notes).toEqual([
      '"other.dat" has no importance for "blk.0.ffn_up_exps.weight": all columns count as much.',
    ]);
    await expect(convertCheckpoint(network, output, { dtype: "f16", importance: other })).rejects.toThrow(
      UsageError,
    );
  });
});
