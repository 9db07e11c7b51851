import {
  copyFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inFreshFolders } from "../../../../../test/helpers/fresh-folder.ts";
import { fixture } from "../../../test-fixtures/fixtures.ts";
import { createCheckpoint } from "../../checkpoint/create-checkpoint.ts";
import { convertCheckpoint } from "../../convert-checkpoint.ts";
import { FormatError, InputError } from "../../errors.ts";
import { openCheckpoint } from "../../open-checkpoint.ts";
import { createTensor } from "../../tensor/tensor.ts";

/** Files of one model that the gguf package has split, by name, in each of its ways. */
const golden = JSON.parse(readFileSync(fixture("formats/gguf-shards.json.golden"), "utf8")) as Readonly<
  Record<string, Readonly<Record<string, string>>>
>;

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

/** Writes shards of the golden model, and returns their paths. */
function unpack(way = "shared"): readonly string[] {
  return Object.entries(golden[way] ?? {}).map(([name, content]) => {
    const path = join(folder, name);
    writeFileSync(path, Buffer.from(content, "base64"));
    return path;
  });
}

/** Writes a network of five tensors in shards of at most two, and returns the paths in their order. */
async function write(
  name: string,
  metadata: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  const tensors = Array.from({ length: 5 }, (_, i) => [
    `blk.${i}.w.weight`,
    createTensor(
      "f32",
      [2, 2],
      Float32Array.from({ length: 4 }, (_, j) => 4 * i + j),
    ),
  ]);
  const network = createCheckpoint(Object.fromEntries(tensors), {
    "general.architecture": "llama",
    ...metadata,
  });
  const path = join(folder, name);
  const { files } = await convertCheckpoint(network, path, { maxShardBytes: 32, overwrite: true });
  return [...files].sort();
}

describe("shards of GGUF", () => {
  it.each(Object.keys(golden))("are read as one, from any shard or their folder: %s", async (way) => {
    const paths = unpack(way);
    for (const path of [folder, ...paths]) {
      await using network = await openCheckpoint(path);
      expect(network.source).toBe(path === folder ? paths[0] : path);
      expect([...network.tensors.keys()]).toEqual([0, 1, 2, 3, 4].map((layer) => `blk.${layer}.w.weight`));
      expect([...(await network.read("blk.3.w.weight")).data]).toEqual([12, 13, 14, 15]);
      expect([...network.files].sort()).toEqual(paths);
      expect(network.metadata["general.name"]).toBe("split");
      expect(Object.keys(network.metadata).filter((key) => key.startsWith("split."))).toEqual([]);
    }
  });

  it("are written as the gguf package writes them, up to the order of metadata", async () => {
    const expected = unpack().map((path) => readFileSync(path));
    for (const path of unpack()) rmSync(path);
    const types = JSON.stringify({ "llama.block_count": "u32" });
    const model = { "general.name": "split", "llama.block_count": "5", "gguf.types": types };
    const paths = await write("model.gguf", model);
    expect(paths.map((path) => path.slice(folder.length + 1))).toEqual(Object.keys(golden["shared"] ?? {}));
    for (const [i, path] of paths.entries()) {
      const written = readFileSync(path);
      expect(written.length).toBe(expected[i]?.length);
      // The order of metadata differs in the first file alone.
      if (i > 0) expect(written.equals(expected[i] ?? Buffer.of())).toBe(true);
    }
  });

  it("take the place of earlier files of that name, which are no inputs, and of nothing else", async () => {
    writeFileSync(join(folder, "a.gguf"), "old");
    writeFileSync(join(folder, "ab.gguf"), "other");
    const [first = ""] = await write("a.gguf");
    expect(readdirSync(folder).sort()).toEqual([
      ...[1, 2, 3].map((number) => `a-0000${number}-of-00003.gguf`),
      "ab.gguf",
    ]);
    // A whole file beside its shards, which are read from: it leaves them as they are.
    const { files } = await convertCheckpoint(first, join(folder, "a.gguf"));
    expect(files).toEqual([join(folder, "a.gguf")]);
    expect(readdirSync(folder)).toHaveLength(5);
    const writing = convertCheckpoint(first, join(folder, "a.gguf"), { maxShardBytes: 64, overwrite: true });
    await expect(writing).rejects.toThrow(/must not be a file that is read from/);
    await using whole = await openCheckpoint(join(folder, "a.gguf"));
    expect(whole.tensors.size).toBe(5);
  });

  it("of an earlier, longer file go when another one of that name is written, whole or in shards", async () => {
    const one = createTensor("f32", [1], Float32Array.of(1));
    const small = createCheckpoint({ a: one, b: one });
    for (const [maxShardBytes, names] of [
      [4, ["a-00001-of-00002.gguf", "a-00002-of-00002.gguf"]],
      [8, ["a.gguf"]],
    ] as const) {
      await write("a.gguf");
      writeFileSync(join(folder, "ab-00001-of-00009.gguf"), "other");
      const path = join(folder, "a.gguf");
      await expect(convertCheckpoint(small, path, { maxShardBytes })).rejects.toThrow(
        /must not replace an earlier file/,
      );
      expect(readdirSync(folder)).toHaveLength(4);
      await convertCheckpoint(small, path, { maxShardBytes, overwrite: true });
      expect(readdirSync(folder).sort()).toEqual([...names, "ab-00001-of-00009.gguf"]);
    }
  });

  it.each<[string, (paths: readonly [string, string, string]) => void, RegExp]>([
    ["missing", ([, second]) => rmSync(second), /shard 2 is missing, ".*-00002-of-00003\.gguf"; download/],
    [
      "doubled by name",
      ([, second]) => copyFileSync(second, join(folder, "model-2-of-3.gguf")),
      /shard 2 is there twice, "model-00002-of-00003.gguf" and "model-2-of-3.gguf"/,
    ],
    [
      "doubled by content",
      ([first, second]) => copyFileSync(first, second),
      /"model-00002-of-00003.gguf" must be shard 2 of 3: it is shard 1 of 3/,
    ],
    [
      "renamed",
      ([first]) => renameSync(first, join(folder, "mine.gguf")),
      /"[^"]*mine.gguf" as it is shard 1 of 3 .* NAME-00001-of-00003.gguf/,
    ],
    [
      "cut short",
      ([, , third]) => writeFileSync(third, readFileSync(third).subarray(0, -40)),
      /"[^"]*-00003-of-00003.gguf".*may be cut short/,
    ],
    [
      "linked from elsewhere",
      ([, second]) => {
        rmSync(second);
        symlinkSync("/etc/hosts", second);
      },
      /-00002-of-00003.gguf/,
    ],
  ])("are refused if one is %s", async (_, spoil, message) => {
    const [first = "", second = "", third = ""] = unpack();
    spoil([first, second, third]);
    const path = readdirSync(folder).includes("mine.gguf") ? join(folder, "mine.gguf") : first;
    const error: unknown = await openCheckpoint(path).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error instanceof InputError || error instanceof FormatError).toBe(true);
    expect(String(error)).toMatch(message);
  });

  it("are refused if one is of another file, or two sets lie in one folder", async () => {
    const [, second = ""] = unpack();
    const other = createCheckpoint({ "blk.9.w.weight": createTensor("f32", [1], Float32Array.of(1)) });
    await convertCheckpoint(other, join(folder, "whole.gguf"));
    renameSync(join(folder, "whole.gguf"), second);
    await expect(openCheckpoint(folder)).rejects.toThrow(/must be shard 2 of 3: it is no shard/);
    unpack();
    const paths = await write("other.gguf");
    await expect(openCheckpoint(folder)).rejects.toThrow(/"model-00001-of-00003.gguf" and "other-00001-of/);
    copyFileSync(paths[1] ?? "", second);
    await expect(openCheckpoint(unpack()[0] ?? "")).resolves.toBeDefined();
    const two = createCheckpoint({
      a: createTensor("f32", [1], Float32Array.of(1)),
      b: createTensor("f32", [1], Float32Array.of(1)),
      c: createTensor("f32", [1], Float32Array.of(1)),
    });
    const { files } = await convertCheckpoint(two, join(folder, "two.gguf"), { maxShardBytes: 4 });
    copyFileSync(files[0] ?? "", second);
    await expect(openCheckpoint(second)).rejects.toThrow(
      /shards must be of one file: "model-0000\d-of-00003.gguf" is of one with \d tensors, and all together have 4/,
    );
  });

  it("have names that end in .gguf, and are at most a thousand", async () => {
    const one = createTensor("f32", [1], Float32Array.of(1));
    const two = createCheckpoint({ a: one, b: one });
    const writing = convertCheckpoint(two, join(folder, "x.bin"), { format: "gguf", maxShardBytes: 4 });
    await expect(writing).rejects.toThrow(/names of GGUF shards must end in .gguf/);
    const many = createCheckpoint(Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`w${i}`, one])));
    const dividing = convertCheckpoint(many, join(folder, "x.gguf"), { maxShardBytes: 4 });
    await expect(dividing).rejects.toThrow(/there may be 1000 shards: there would be 1001/);
    expect(readdirSync(folder)).toEqual([]);
  });
});
