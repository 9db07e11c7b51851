import { mkdtemp, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { block, database, interior, leaf, manifest, NODE, varint } from "../../../test-fixtures/ocdbt.ts";
import { layOut, type TrainingRun, trainingRun } from "../../../test-fixtures/runs.ts";
import { endlessZstd, zstdFrame } from "../../../test-fixtures/zstd.ts";
import { FormatError, InputError, UnsupportedError } from "../../errors.ts";
import { openCheckpoint } from "../../open-checkpoint.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "isthmus-hostile-orbax-"));
});
afterAll(() => rm(root, { recursive: true }));

type Files = TrainingRun["files"];

async function place(files: Files): Promise<string> {
  const folder = await mkdtemp(join(root, "run-"));
  await layOut(folder, files);
  return folder;
}

async function readAll(folder: string): Promise<unknown> {
  await using checkpoint = await openCheckpoint(folder);
  const tensors: Record<string, unknown> = {};
  for (const name of checkpoint.tensors.keys())
    tensors[name] = Array.from((await checkpoint.read(name)).data as Uint8Array);
  return tensors;
}

async function refusal(files: Files): Promise<Error> {
  return readAll(await place(files)).then(
    () => expect.fail("it was read"),
    (error: Error) => error,
  );
}

const describeArray = (fields: object = {}): string =>
  JSON.stringify({
    ...{ zarr_format: 2, shape: [3], chunks: [2], dtype: "|u1", order: "C", compressor: null, fill_value: 0 },
    ...fields,
  });

const arrayOf = (fields: object, chunks: Readonly<Record<string, string | Uint8Array>> = {}): Files =>
  database({ "a/.zarray": describeArray(fields), ...chunks });

describe("databases of OCDBT", () => {
  it("are read as they stand, with chunks at the end that are larger than the array", async () => {
    const chunks = { "a/0": Uint8Array.of(1, 2), "a/1": Uint8Array.of(3, 9) };
    expect(await readAll(await place(arrayOf({}, chunks)))).toEqual({ a: [1, 2, 3] });
    expect(await readAll(await place(arrayOf({}, { "a/0": Uint8Array.of(1, 2) })))).toEqual({ a: [1, 2, 0] });
  });

  it("are refused if a tree leads back to itself, skips a level, or is deeper than it says", async () => {
    const [size] = [interior(1, { length: 0 }).length];
    const around = interior(2, { length: size });
    const loop = await refusal({
      "manifest.ocdbt": manifest({ length: around.length, height: 2 }),
      "d/x": around,
    });
    expect(loop.message).toContain("each node must be reached once");
    const skipping = await refusal({
      "manifest.ocdbt": manifest({ length: size, height: 7 }),
      "d/x": around,
    });
    expect(skipping.message).toContain("must be of level 7 as the one above says: it is of 2");
  });

  it("are refused if a path leaves the folder, by its parts or by a link", async () => {
    for (const file of ["../x", "d/../../x", "/etc/hostname", "d//x", ""])
      expect(
        (await refusal({ ...arrayOf({}), "manifest.ocdbt": manifest({ file, length: 20 }) })).message,
      ).toContain("its data files must be in its folder");
    const folder = await place(arrayOf({}));
    await unlink(join(folder, "d/x"));
    await writeFile(join(root, "outside"), leaf({ a: "1" }));
    await symlink(join(root, "outside"), join(folder, "d/x"));
    await expect(openCheckpoint(folder)).rejects.toThrow("a link in a folder must lead to a file in it");
  });

  it("are refused if a byte of a block differs, or a file is cut or missing", async () => {
    const { files } = trainingRun("orbax");
    const [data = ""] = Object.keys(files).filter((name) => name.startsWith("d/"));
    const changed = Buffer.from(files[data]!);
    changed[100] = changed[100]! ^ 1;
    expect((await refusal({ ...files, [data]: changed })).message).toContain("it is damaged");
    for (const [name, bytes] of Object.entries(files)) {
      if (!/ocdbt/.test(name) && name !== data) continue;
      const cut = await readAll(await place({ ...files, [name]: bytes.subarray(0, bytes.length - 1) })).catch(
        (error: Error) => error,
      );
      // Databases of single processes are needed only as far as the joined one refers to them.
      if (!name.startsWith("ocdbt.process_0/")) expect(cut).toBeInstanceOf(FormatError);
    }
    const { [data]: _, ...missing } = files;
    expect(await refusal(missing)).toBeInstanceOf(InputError);
    const { "manifest.ocdbt": __, ...interrupted } = files;
    expect((await refusal(interrupted)).message).toContain("the save was interrupted");
  });

  it("are refused if they claim more than they hold", async () => {
    const huge = [0, 0, ...varint(2 ** 40)];
    for (const body of [
      huge,
      [0, ...varint(2n ** 63n)],
      [0, 0, 2, 3, 1, 200, 65, 65],
      [0, ...Array(40).fill(255)],
    ]) {
      const node = block(NODE, body);
      const error = await refusal({ "manifest.ocdbt": manifest({ length: node.length }), "d/x": node });
      expect(error).toBeInstanceOf(FormatError);
      expect(error.message).toMatch(/must hold|begin as the one before|number may have/);
    }
    const far = await refusal({ "manifest.ocdbt": manifest({ length: 2 ** 40 }), "d/x": leaf({}) });
    expect(far.message).toContain("a node may have");
    const packed = block(NODE, Buffer.from("28b52ffde0ffffffffffffff7f01", "hex"), 1);
    const bomb = await refusal({ "manifest.ocdbt": manifest({ length: packed.length }), "d/x": packed });
    expect(bomb.message).toMatch(/14 bytes that zstd packed must be intact, and become at most 100000000/);
    const numbered = await refusal({ ...arrayOf({}), "manifest.ocdbt": manifest({ length: 9, kind: 1 }) });
    expect(numbered).toBeInstanceOf(UnsupportedError);
  });
});

describe("arrays of Zarr", () => {
  it.each([
    [{ shape: [2 ** 40], chunks: [1] }, /may have 8192 chunks/],
    [{ shape: [3], chunks: [0] }, /chunks of at least 1/],
    [{ shape: [-1] }, /must have a shape/],
    [{ shape: [2 ** 40, 2 ** 40], chunks: [2 ** 40, 2 ** 40] }, /must have a shape/],
    [{ shape: [2 ** 40], chunks: [2 ** 40], compressor: { id: "zstd" } }, /a packed chunk may have/],
    [
      { compressor: { id: "blosc" } },
      /it has compression "blosc"; .* copy the array by tensorstore with the compressor zstd$/,
    ],
    [{ filters: [{ id: "delta" }] }, /it has filters/],
    [{ dtype: "|O" }, /elements of type "\|O"/],
    [{ shape: [3, 3], chunks: [3, 3], order: "F" }, /it has order "F"/],
    [{ fill_value: 1 }, /must be of zeros/],
    [{ zarr_format: 4 }, /of version 2 or 3/],
  ])("of %j are refused", async (fields, message) => {
    const error = await refusal(arrayOf(fields));
    expect([FormatError, UnsupportedError]).toContain(error.constructor);
    expect(error.message).toMatch(message);
  });

  it("are refused if a chunk has another size, or is no packed bytes", async () => {
    expect((await refusal(arrayOf({}, { "a/0": Uint8Array.of(1) }))).message).toContain(
      "must have 2 bytes: it has 1",
    );
    for (const id of ["zstd", "gzip", "zlib"])
      expect(await refusal(arrayOf({ compressor: { id } }, { "a/0": "x".repeat(30) }))).toBeInstanceOf(
        FormatError,
      );
    const twice = zstdFrame(2, [[0, [1, 2]]]);
    const read = await readAll(await place(arrayOf({ compressor: { id: "zstd" } }, { "a/0": twice })));
    expect(read).toEqual({ a: [1, 2, 0] });
  });

  it.each([
    [zstdFrame(3, [[0, [1, 2, 3]]]), "they state 3 bytes, more than 2"],
    [zstdFrame(2, [[0, [1]]]), "they state 2 bytes, and can become 1"],
    [zstdFrame(undefined, [[1, [7], 3]]), "more than 2 bytes come out"],
    [endlessZstd(2), ""],
    [endlessZstd(), ""],
  ])("are refused if a chunk is packed as %s", async (chunk, message) => {
    const error = await refusal(arrayOf({ compressor: { id: "zstd" } }, { "a/0": chunk }));
    expect(error).toBeInstanceOf(FormatError);
    expect(error.message).toContain("bytes that zstd packed must be intact, and become at most 2: ");
    expect(error.message).toContain(message);
  });

  it("are refused if a chunk, an array or the index of chunks that are stored together is damaged", async () => {
    const { files } = trainingRun("orbax-folders");
    const chunk = Object.keys(files).find((name) => /kernel\/1\.0$/.test(name)) ?? "";
    const { [chunk]: _, ...lost } = files;
    expect((await refusal(lost)).message).toContain("each chunk of an array must be there: it is missing");
    const description = chunk.replace("1.0", ".zarray");
    const { [description]: __, ...unknown } = files;
    expect((await refusal(unknown)).message).toContain("each array of the tree must be there");
    const third = JSON.stringify({
      ...{ zarr_format: 3, shape: [4], data_type: "uint8", fill_value: 0, node_type: "array" },
      chunk_grid: { name: "regular", configuration: { chunk_shape: [4] } },
      chunk_key_encoding: { name: "default" },
      codecs: [
        {
          name: "sharding_indexed",
          configuration: {
            chunk_shape: [2],
            codecs: [{ name: "bytes" }],
            index_codecs: [{ name: "bytes" }, { name: "crc32c" }],
          },
        },
      ],
    });
    const error = await refusal(database({ "a/zarr.json": third, "a/c/0": new Uint8Array(40) }));
    expect(error.message).toContain("the checksum that follows them");
  });
});

describe("steps of a manager", () => {
  it("are opened if one item is a tree, and otherwise say which there are", async () => {
    const { files } = trainingRun("orbax");
    const within = (item: string): Files =>
      Object.fromEntries(Object.entries(files).map(([name, bytes]) => [`${item}/${name}`, bytes]));
    const step = { _CHECKPOINT_METADATA: Buffer.from("{}"), "metrics/metrics": Buffer.from("{}") };
    expect(await readAll(await place({ ...step, ...within("state") }))).toHaveProperty("step");
    const both = await refusal({ ...step, ...within("params"), ...within("state") });
    expect(both.message).toMatch(/it holds ".*params", ".*state"; name one of them/);
    expect((await refusal(step)).message).toContain("the save may have been interrupted");
  });
});
