import { spawnSync } from "node:child_process";
import { renameSync, writeFileSync } from "node:fs";
import { link, mkdir, open, readdir, readFile, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { inFreshFolders } from "../../../test/helpers/fresh-folder.ts";
import { describeTensors, fixture, reopen } from "../test-fixtures/fixtures.ts";
import { createCheckpoint } from "./checkpoint/create-checkpoint.ts";
import { defineCheckpoint } from "./checkpoint/define-checkpoint.ts";
import { InputError } from "./errors.ts";
import { openCheckpoint } from "./open-checkpoint.ts";
import { type SaveProgress, saveCheckpoint } from "./save-checkpoint.ts";
import { convertData } from "./tensor/convert.ts";
import { DTYPES, type DType } from "./tensor/dtype.ts";
import { allocateData, type Tensor, viewBytes } from "./tensor/tensor.ts";

const DTYPE_NAMES = Object.keys(DTYPES) as DType[];

let folder: string;
inFreshFolders((path) => {
  folder = path;
});
afterEach(() => vi.restoreAllMocks());

function f32(shape: number[], ...values: number[]): Tensor {
  return { dtype: "f32", shape, data: Float32Array.from(values) };
}

/** A tensor of a few kilobytes. */
function ramp(length: number): Tensor {
  return f32([length], ...Array.from({ length }, (_, i) => i));
}

/** Lets `FileHandle.write` of the next handles fail as the system would. */
async function failWrites(code: string, after: number): Promise<void> {
  const handle = await open(fixture("lone.pt"));
  const prototype = Object.getPrototypeOf(handle) as { write: (...args: unknown[]) => Promise<unknown> };
  await handle.close();
  const original = prototype.write;
  let calls = 0;
  vi.spyOn(prototype, "write").mockImplementation(function (this: unknown, ...args) {
    if (calls++ < after) return original.apply(this, args);
    return Promise.reject(Object.assign(new TypeError(`${code}: as in the test`), { code }));
  });
}

/** Checkpoints of any shapes and types, in arrays that begin anywhere in their buffers. */
const checkpoints: fc.Arbitrary<Map<string, Tensor>> = fc
  .uniqueArray(
    fc.record({
      name: fc.string({ minLength: 1, unit: "binary" }).filter((name) => name !== "__metadata__"),
      dtype: fc.constantFrom(...DTYPE_NAMES),
      shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
      offset: fc.integer({ min: 0, max: 3 }),
      seed: fc.integer({ min: 0, max: 255 }),
    }),
    { selector: ({ name }) => name, maxLength: 12 },
  )
  .map((specs) => {
    const entries = specs.map(({ name, dtype, shape, offset, seed }): [string, Tensor] => {
      const size = shape.reduce((product, extent) => product * extent, 1);
      const whole = allocateData(dtype, size + offset);
      viewBytes(whole).forEach((_, i, bytes) => {
        bytes[i] = dtype === "bool" ? (seed + i) % 2 : (seed + 37 * i) % 256;
      });
      return [name, { dtype, shape, data: whole.subarray(offset) }];
    });
    return new Map(entries);
  });

describe("saveCheckpoint()", () => {
  it("gives weights of diffusers the name that diffusers loads, in a folder", async () => {
    const name = "diffusion_pytorch_model.safetensors";
    const own = join(folder, "unet", name);
    await saveCheckpoint(createCheckpoint({ w: ramp(2) }), own);
    const checkpoint = await openCheckpoint(join(folder, "unet"));
    const { files } = await saveCheckpoint(checkpoint, join(folder, "copy"));
    await checkpoint.close();
    expect(files).toEqual([join(folder, "copy", name)]);
  });

  it("writes byte for byte what the reference implementation writes", async () => {
    const reference = await openCheckpoint(fixture("types.safetensors"));
    const path = join(folder, "copy.safetensors");
    const { bytes } = await saveCheckpoint(reference, path);
    const written = await readFile(path);
    expect(written.equals(await readFile(fixture("types.safetensors")))).toBe(true);
    expect(bytes).toBe(written.length);
    await reference.close();
  });

  it("gives back what it was given, whatever the chunks and shards", async () => {
    const path = join(folder, "x");
    await fc.assert(
      fc.asyncProperty(
        checkpoints,
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 3 }),
        fc.option(fc.integer({ min: 1, max: 200 })),
        async (tensors, chunkBytes, buffers, shard) => {
          const checkpoint = createCheckpoint(tensors, { k: "v" });
          const options = {
            chunkBytes,
            buffers,
            ...(typeof shard === "number" ? { maxShardBytes: shard } : {}),
            overwrite: true,
            allowNonFinite: true,
          };
          const result = await saveCheckpoint(checkpoint, path, options);
          expect(await reopen(result.path)).toEqual(await describeTensors(checkpoint));
          expect(await reopen(path)).toEqual(await describeTensors(checkpoint));
          // An earlier checkpoint in the folder is gone, whatever its number of shards was.
          const names = result.files.map((file) => file.slice(path.length + 1));
          expect((await readdir(path)).sort()).toEqual(names.sort());
        },
      ),
      { numRuns: 60 },
    );
  });

  it("gives the same bytes whatever the chunks", async () => {
    const checkpoint = createCheckpoint({ b: ramp(1000), a: ramp(333), c: f32([], 7) }, { z: "1", y: "2" });
    const files = await Promise.all(
      [{}, { chunkBytes: 8 }, { chunkBytes: 24 }, { chunkBytes: 1000 }].map(async (sizes, k) => {
        const path = join(folder, `${k}.safetensors`);
        await saveCheckpoint(checkpoint, path, { ...sizes, dtype: "bf16" });
        return readFile(path, "base64");
      }),
    );
    expect(new Set(files).size).toBe(1);
  });

  it("converts floating-point tensors and leaves the others", async () => {
    const checkpoint = createCheckpoint({
      w: f32([2], 1.001, -2),
      n: { dtype: "i64", shape: [], data: BigInt64Array.of(7n) },
      flag: { dtype: "bool", shape: [2], data: Uint8Array.of(1, 0) },
    });
    for (const dtype of DTYPE_NAMES.filter((name) => DTYPES[name].float)) {
      const path = join(folder, `${dtype}.safetensors`);
      await saveCheckpoint(checkpoint, path, { dtype, chunkBytes: 8 });
      const opened = await openCheckpoint(path);
      expect(await opened.read("w")).toEqual({
        dtype,
        shape: [2],
        data: convertData(Float32Array.of(1.001, -2), "f32", dtype),
      });
      expect((await opened.read("n")).data).toEqual(BigInt64Array.of(7n));
      expect((await opened.read("flag")).data).toEqual(Uint8Array.of(1, 0));
      await opened.close();
    }
  });

  it("names shards and writes their index as the Hugging Face hub has them", async () => {
    const checkpoint = createCheckpoint({ c: ramp(4), a: ramp(4), b: ramp(1) }, { format: "pt" });
    const result = await saveCheckpoint(checkpoint, join(folder, "out.safetensors"), { maxShardBytes: 20 });
    expect((await readdir(folder)).sort()).toEqual([
      "out-00001-of-00002.safetensors",
      "out-00002-of-00002.safetensors",
      "out.safetensors.index.json",
    ]);
    expect(result.path).toBe(join(folder, "out.safetensors.index.json"));
    const sizes = await Promise.all(result.files.map(async (file) => (await stat(file)).size));
    expect(result.bytes).toBe(sizes.reduce((sum, size) => sum + size, 0));
    expect(await readFile(result.path, "utf8")).toBe(`{
  "metadata": {
    "total_size": 36
  },
  "weight_map": {
    "a": "out-00002-of-00002.safetensors",
    "b": "out-00002-of-00002.safetensors",
    "c": "out-00001-of-00002.safetensors"
  }
}
`);
    const opened = await openCheckpoint(result.path);
    expect([...opened.tensors.keys()]).toEqual(["c", "a", "b"]);
    expect(opened.metadata).toEqual({ format: "pt" });
    expect([...opened.files].sort()).toEqual([...result.files].sort());
    await opened.close();
  });

  it("creates the folders it needs, and removes them if it fails", async () => {
    const checkpoint = createCheckpoint({ a: ramp(3) });
    for (const name of ["a/b/x.safetensors", "c/d"]) {
      const { path } = await saveCheckpoint(checkpoint, join(folder, name));
      expect(Object.keys(await reopen(path))).toEqual(["a"]);
    }
    const signal = AbortSignal.abort();
    await expect(saveCheckpoint(checkpoint, join(folder, "e/f/x.safetensors"), { signal })).rejects.toThrow();
    await failWrites("ENOSPC", 0);
    await expect(saveCheckpoint(checkpoint, join(folder, "e/f/x.safetensors"))).rejects.toThrow(InputError);
    expect((await readdir(folder)).sort()).toEqual(["a", "c"]);
  });

  it("stores the metadata it is given instead of the checkpoint's", async () => {
    const path = join(folder, "m.safetensors");
    await saveCheckpoint(createCheckpoint({ a: ramp(1) }, { old: "1" }), path, { metadata: { new: 'é"' } });
    const opened = await openCheckpoint(path);
    expect(opened.metadata).toEqual({ new: 'é"' });
    await opened.close();
  });

  it("reports progress up to the last byte", async () => {
    const reports: SaveProgress[] = [];
    const { bytes } = await saveCheckpoint(
      createCheckpoint({ a: ramp(100), b: ramp(100) }),
      join(folder, "p"),
      {
        chunkBytes: 64,
        maxShardBytes: 400,
        onProgress: (progress) => reports.push(progress),
      },
    );
    expect(reports.at(-1)).toEqual({ done: 1, doneBytes: bytes, totalBytes: bytes });
    expect(reports.every(({ doneBytes }, i) => doneBytes > (reports[i - 1]?.doneBytes ?? 0))).toBe(true);
  });

  it("saves what was opened where another file replaces an input under its name meanwhile", async () => {
    const path = join(folder, "input.safetensors");
    await saveCheckpoint(createCheckpoint({ a: ramp(5000) }), path);
    const opened = await openCheckpoint(path);
    const output = join(folder, "x.safetensors");
    let isReplaced = false;
    await saveCheckpoint(opened, output, {
      chunkBytes: 64,
      onProgress: ({ doneBytes }) => {
        if (doneBytes < 5000 || isReplaced) return;
        isReplaced = true;
        writeFileSync(join(folder, "other"), "something else");
        renameSync(join(folder, "other"), path);
      },
    });
    await opened.close();
    expect(isReplaced).toBe(true);
    expect(await reopen(output)).toEqual(await describeTensors(createCheckpoint({ a: ramp(5000) })));
  });

  it("waits for the disk if told to", async () => {
    const path = join(folder, "durable.safetensors");
    await saveCheckpoint(createCheckpoint({ a: ramp(3) }), path, { durable: true });
    expect(Object.keys(await reopen(path))).toEqual(["a"]);
  });
});

describe("saveCheckpoint() refuses", () => {
  const small = createCheckpoint({ a: ramp(10) });

  it("an output that is one of the inputs, under whatever name", async () => {
    const path = join(folder, "input.safetensors");
    await saveCheckpoint(small, path);
    await symlink(path, join(folder, "symbolic.safetensors"));
    await link(path, join(folder, "hard.safetensors"));
    const before = await readFile(path);
    const opened = await openCheckpoint(path);
    const computed = defineCheckpoint({
      source: "copy",
      tensors: opened.tensors,
      inputs: [opened],
      readInto: async () => {},
    });
    for (const target of [path, "symbolic.safetensors", "hard.safetensors"]) {
      for (const checkpoint of [opened, computed]) {
        const saving = saveCheckpoint(checkpoint, target === path ? path : join(folder, target), {
          overwrite: true,
        });
        await expect(saving).rejects.toThrow(InputError);
        await expect(saving).rejects.toThrow(/must not be a file that is read from/);
      }
    }
    await opened.close();
    expect((await readFile(path)).equals(before)).toBe(true);
  });

  it("a folder whose earlier shards are the input", async () => {
    const path = join(folder, "out");
    const { path: index } = await saveCheckpoint(createCheckpoint({ a: ramp(9), b: ramp(9) }), path, {
      maxShardBytes: 40,
    });
    const opened = await openCheckpoint(index);
    await expect(saveCheckpoint(opened, path, { overwrite: true })).rejects.toThrow(/read from/);
    await opened.close();
    expect(await readdir(path)).toHaveLength(3);
  });

  it("a path where there is something, unless told to replace it", async () => {
    const path = join(folder, "x.safetensors");
    await saveCheckpoint(small, path);
    await expect(saveCheckpoint(small, path)).rejects.toThrow(/must not replace an earlier checkpoint/);
    await expect(saveCheckpoint(small, path, { overwrite: true })).resolves.toBeDefined();
  });

  it.each([
    ["a file of another format", "x.pt", /name a file ending in \.safetensors, or a folder/],
    [
      "a file for a folder",
      "file",
      /Cannot create folder ".*file" as ".*file" must be a folder: it is a file/,
    ],
    ["a file for a folder above", "file/x.safetensors", /must be a folder: one is a file/],
    ["a folder named like a file", "folder.safetensors", /must be a file: it is a folder/],
  ])("%s", async (_, name, message) => {
    await writeFile(join(folder, "file"), "");
    await mkdir(join(folder, "folder.safetensors"));
    const saving = saveCheckpoint(small, join(folder, name));
    await expect(saving).rejects.toThrow(InputError);
    await expect(saving).rejects.toThrow(message);
  });

  it("element types and sizes that make no sense", async () => {
    const path = join(folder, "x.safetensors");
    for (const dtype of ["i8", "bfloat16"]) {
      await expect(saveCheckpoint(small, path, { dtype: dtype as DType })).rejects.toThrow(TypeError);
      await expect(saveCheckpoint(small, path, { dtype: dtype as DType })).rejects.toThrow(
        `"dtype" must be one of f64, f32, f16, bf16, f8e4m3, f8e5m2: it is "${dtype}"`,
      );
    }
    await expect(saveCheckpoint(small, path, { maxShardBytes: 0 })).rejects.toThrow(RangeError);
    await expect(saveCheckpoint(small, path, { chunkBytes: Number.NaN })).rejects.toThrow(RangeError);
    await expect(saveCheckpoint(small, path, { buffers: 0.5 })).rejects.toThrow(RangeError);
    await expect(saveCheckpoint(small, path, { chunks: 1 } as object)).rejects.toThrow(TypeError);
    expect(await readdir(folder)).toEqual([]);
  });

  it("a checkpoint larger than the disk, before it writes anything", async () => {
    const huge = defineCheckpoint({
      source: "huge",
      tensors: new Map([["a", { dtype: "u8", shape: [2 ** 50] }]]),
      readInto: async () => {},
    });
    await expect(saveCheckpoint(huge, join(folder, "x.safetensors"))).rejects.toThrow(
      /must have room for \d+ bytes/,
    );
    expect(await readdir(folder)).toEqual([]);
  });
});

describe("saveCheckpoint() leaves nothing behind", () => {
  const big = createCheckpoint({ a: ramp(1000), b: ramp(1000) });

  it.each([
    ["ENOSPC", /the disk must have room: it is full/],
    ["EDQUOT", /quota must have room/],
    ["EIO", /the system refused: EIO/],
  ])("when a write fails with %s", async (code, message) => {
    for (const [name, after] of [
      ["first", 0],
      ["later", 5],
    ] as const) {
      await failWrites(code, after);
      const saving = saveCheckpoint(big, join(folder, `${name}.safetensors`), {
        chunkBytes: 256,
        maxShardBytes: 4000,
      });
      await expect(saving).rejects.toThrow(InputError);
      await expect(saving).rejects.toThrow(message);
      vi.restoreAllMocks();
    }
    expect(await readdir(folder)).toEqual([]);
  });

  it("when reading fails, and an earlier checkpoint stays", async () => {
    const path = join(folder, "x.safetensors");
    await saveCheckpoint(createCheckpoint({ old: ramp(1) }), path);
    const broken = defineCheckpoint({
      source: "broken",
      tensors: big.tensors,
      async readInto(name, begin) {
        if (name === "b" && begin > 100) throw new RangeError("as in the test");
      },
    });
    await expect(saveCheckpoint(broken, path, { chunkBytes: 64, overwrite: true })).rejects.toThrow(
      "as in the test",
    );
    expect(await readdir(folder)).toEqual(["x.safetensors"]);
    expect(Object.keys(await reopen(path))).toEqual(["old"]);
  });

  it("when it is stopped, before or half-way, and the folder it made is gone too", async () => {
    const stopped = AbortSignal.abort();
    await expect(saveCheckpoint(big, join(folder, "x"), { signal: stopped })).rejects.toThrow(/abort/i);
    const controller = new AbortController();
    const saving = saveCheckpoint(big, join(folder, "new"), {
      chunkBytes: 64,
      maxShardBytes: 4000,
      signal: controller.signal,
      onProgress: ({ doneBytes }) => doneBytes > 5000 && controller.abort(),
    });
    await expect(saving).rejects.toMatchObject({ name: "AbortError" });
    expect(await readdir(folder)).toEqual([]);
  });

  it("when an input is written to while it is read", async () => {
    const path = join(folder, "input.safetensors");
    await saveCheckpoint(big, path);
    const before = await readFile(path);
    await utimes(path, 1, 1);
    const opened = await openCheckpoint(path);
    const saving = saveCheckpoint(opened, join(folder, "x.safetensors"), {
      chunkBytes: 64,
      // The same length, so that only the time tells.
      onProgress: ({ doneBytes }) => doneBytes > 5000 && writeFileSync(path, before),
    });
    await expect(saving).rejects.toThrow(InputError);
    await expect(saving).rejects.toThrow(/must stay as it is while it is read: it was written to since/);
    await opened.close();
    expect(await readdir(folder)).toEqual(["input.safetensors"]);
  });

  it("of names that others have taken meanwhile", async () => {
    const path = join(folder, "x.safetensors");
    await writeFile(join(folder, `.x.safetensors.${process.pid}-0.tmp`), "another's");
    await saveCheckpoint(big, path);
    expect((await readdir(folder)).sort()).toEqual([`.x.safetensors.${process.pid}-0.tmp`, "x.safetensors"]);
  });

  it("of what a killed process left of the same output, and of nothing else", async () => {
    const killed = spawnSync(process.execPath, ["-e", "process.kill(process.pid, 'SIGKILL')"]).pid;
    const kept = [
      `.x.safetensors.${process.pid}-7.tmp`,
      `.x.safetensors.1-0.tmp`,
      `.xx.safetensors.${killed}-0.tmp`,
      `.x.safetensors.${killed}-0.tmp.old`,
      `.x.safetensors.part.${killed}-0.tmp`,
      `x.safetensors.${killed}-0.tmp`,
    ];
    const left = [
      `.x.safetensors.${killed}-0.tmp`,
      `.x.safetensors.${killed}-12.tmp`,
      `.x.safetensors.${killed}-77-0.tmp`,
      `.x-00001-of-00009.safetensors.${killed}-77-0.tmp`,
      `.x.safetensors.index.json.${killed}-77-0.tmp`,
    ];
    // A process of the same number that began earlier, as happens in containers.
    if (process.platform === "linux") left.push(`.x.safetensors.${process.pid}-1-0.tmp`);
    for (const name of [...kept, ...left]) await writeFile(join(folder, name), "unfinished");
    await saveCheckpoint(big, join(folder, "x.safetensors"));
    expect((await readdir(folder)).sort()).toEqual([...kept, "x.safetensors"].sort());
  });
});
