import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { createCheckpoint } from "../checkpoint/create-checkpoint.ts";
import { writeTensorRange } from "../formats/safetensors/write-range.ts";
import { entry } from "../invariant.ts";
import { openPositionalFile } from "../io/positional-file.ts";
import { saveCheckpoint } from "../save-checkpoint.ts";
import { sizeOf } from "../tensor/shape.ts";
import { createTensor } from "../tensor/tensor.ts";
import { type StagedCheckpoint, stageCheckpoint, stagedFile } from "./stage-checkpoint.ts";

const numbers = (length: number) => Float32Array.from({ length }, (_, i) => i / 3);
const checkpoint = createCheckpoint({
  a: createTensor("f32", [1000], numbers(1000)),
  b: createTensor("i8", [5], Int8Array.of(1, 2, 3, 4, 5)),
});
const metadata = { note: "0000" };

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

const stage = (goesOn = false, maxShardBytes = 1e9, overwrite = false) =>
  stageCheckpoint(checkpoint, join(folder, "out"), {
    ...{ metadata, maxShardBytes, overwrite, durable: true },
    goesOn: async (_, isWhole) => goesOn && isWhole,
  });

/** Writes ranges of all tensors, the last range first. */
async function write(
  { tensors }: StagedCheckpoint,
  step: number,
  names = [...tensors.keys()],
): Promise<void> {
  for (const name of names) {
    const { path, target, position, shape } = entry(tensors, name, "tensor");
    const file = await openPositionalFile(path, target);
    const size = sizeOf(shape);
    for (let begin = Math.floor((size - 1) / step) * step; begin >= 0; begin -= step) {
      const range = { name, begin, end: Math.min(begin + step, size), file, position };
      await writeTensorRange(checkpoint, range, { allowNonFinite: false });
    }
    await file.close();
  }
}

describe("stageCheckpoint(), writeTensorRange()", () => {
  it.each([
    ["one file", 1e9, 64],
    ["shards", 4000, 1000],
  ])("ranges written in any order give what saveCheckpoint() writes: %s", async (_, maxShardBytes, step) => {
    const staged = await stage(false, maxShardBytes);
    expect(readdirSync(join(folder, "out"))).toContain(".model.unfinished");
    await write(staged, step);
    const { files, bytes } = await staged.publish({ note: "1234" });
    const expected = await saveCheckpoint(checkpoint, join(folder, "whole"), {
      ...{ maxShardBytes, metadata: { note: "1234" } },
    });
    expect(files.map((file) => readFileSync(file))).toEqual(expected.files.map((file) => readFileSync(file)));
    expect(bytes).toBe(expected.bytes);
    expect(readdirSync(join(folder, "out"))).toEqual(readdirSync(join(folder, "whole")));
  });

  it("keeps what was written for another process that goes on", async () => {
    const first = await stage();
    expect(first.resumed).toBe(false);
    await write(first, 100, ["a"]);
    await expect(stage(true)).rejects.toThrow(/no other process may be at work there/);
    await first.close();
    const second = await stage(true);
    expect(second.resumed).toBe(true);
    await write(second, 100, ["b"]);
    await second.publish(metadata);
    const whole = await saveCheckpoint(checkpoint, join(folder, "whole"), { metadata });
    expect(readFileSync(join(folder, "out/model.safetensors"))).toEqual(readFileSync(whole.path));
  });

  it("starts from empty files where it does not go on, or files are not whole", async () => {
    const first = await stage();
    await write(first, 100);
    await first.close();
    const second = await stage(false);
    const bytes = readFileSync(entry(second.tensors, "a").path);
    expect(bytes.every((byte) => byte === 0)).toBe(true);
    await second.close();
    rmSync(entry(second.tensors, "a").path);
    expect((await stage(true)).resumed).toBe(false);
  });

  it("leaves nothing when it is discarded", async () => {
    const staged = await stage();
    await write(staged, 100);
    await staged.discard();
    expect(existsSync(join(folder, "out"))).toBe(false);
  });

  it("refuses metadata of another length, and an earlier checkpoint", async () => {
    const staged = await stage();
    await expect(staged.publish({ note: "a much longer note than planned" })).rejects.toThrow(
      /as long as planned/,
    );
    await staged.publish(metadata);
    await expect(stage()).rejects.toThrow(/must not replace an earlier checkpoint/);
    await (await stage(false, 1e9, true)).discard();
    expect(existsSync(join(folder, "out/model.safetensors"))).toBe(true);
  });

  it("openPositionalFile() refuses files that are not there", async () => {
    await expect(openPositionalFile(join(folder, "none"), "x")).rejects.toThrow(
      /^Cannot write "x" as it must exist/,
    );
  });
});

describe("stagedFile()", () => {
  it("gives places of the files of an unfinished checkpoint", () => {
    for (const name of ["model.safetensors", "model-00001-of-00002.safetensors"]) {
      expect(stagedFile("/x/.model.unfinished", name)).toEqual({
        path: `/x/.model.unfinished/${name}`,
        target: `/x/${name}`,
      });
    }
  });

  it.each([
    ["/x/.model.unfinished", "../other.safetensors"],
    ["/x/.model.unfinished", "model/../../a.safetensors"],
    ["/x/.model.unfinished", "journal.jsonl"],
    ["/x/.model.unfinished", "run.txt"],
    ["/x/.model.unfinished", "other.safetensors"],
    ["/x/.model.unfinished", "model.safetensors.index.json"],
    ["/x/.model.unfinished", "/etc/passwd"],
    ["/x/.model.unfinished", ""],
    ["/x", "x.safetensors"],
    ["/x/..unfinished", ".safetensors"],
  ])("refuses in %j the file %j", (folder, name) => {
    expect(() => stagedFile(folder, name)).toThrow(/must be a file of an unfinished checkpoint there/);
  });
});
