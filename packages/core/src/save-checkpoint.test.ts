import { mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCheckpoint, InputError, openCheckpoint, saveCheckpoint, type Tensor } from "./index.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isthmus-save-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const f32 = (shape: number[], ...values: number[]): Tensor => ({
  dtype: "f32",
  shape,
  data: Float32Array.from(values),
});

describe("saveCheckpoint()", () => {
  it("writes what openCheckpoint() reads", async () => {
    const path = join(folder, "plain.safetensors");
    const saved = createCheckpoint(
      { b: f32([2, 2], 1, 2, 3, 4), a: f32([], 5), none: f32([0, 3]) },
      { note: "é" },
    );
    const result = await saveCheckpoint(saved, path);
    expect(result.files).toEqual([path]);
    const opened = await openCheckpoint(path);
    expect([...opened.tensors.keys()]).toEqual(["a", "b", "none"]);
    expect(opened.metadata).toEqual({ note: "é" });
    expect(await opened.read("b")).toEqual(f32([2, 2], 1, 2, 3, 4));
    expect(await opened.read("a")).toEqual(f32([], 5));
    expect(await opened.readRange("b", 1, 3)).toEqual(Float32Array.of(2, 3));
    expect(opened.files).toEqual([path]);
    await opened.close();
  });

  it("refuses an output that is one of the inputs, under another name", async () => {
    const path = join(folder, "input.safetensors");
    await saveCheckpoint(createCheckpoint({ a: f32([1], 1) }), path);
    const link = join(folder, "link.safetensors");
    await symlink(path, link);
    const opened = await openCheckpoint(path);
    for (const target of [path, link]) {
      await expect(saveCheckpoint(opened, target, { overwrite: true })).rejects.toThrow(InputError);
    }
    await opened.close();
    expect((await readdir(folder)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });
});
