import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCheckpoint, createTensor, openCheckpoint, saveCheckpoint } from "@isthmus/core";
import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { describeFileMerge, type FileMerge } from "./file-merge.ts";
import { openMergeSource } from "./merge-source.ts";
import { type MergeProvenance, sourceName } from "./provenance.ts";
import { saveMerge } from "./save-merge.ts";
import type { SaveMergeOptions } from "./save-merge-options.ts";
import { verifyMerge } from "./verify-merge.ts";

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-verify-"));
  await saveNetwork("a.safetensors", 1);
  await saveNetwork("b.safetensors", 3);
});
afterEach(() => rmSync(folder, { recursive: true }));

const path = (name: string): string => join(folder, name);

async function saveNetwork(name: string, value: number): Promise<void> {
  const vector = (...w: number[]) => createTensor("f32", [w.length], Float32Array.from(w));
  const network = createCheckpoint({ w: vector(value, 2 * value), v: vector(value) });
  await saveCheckpoint(network, path(name), { overwrite: true });
}

test.each([
  ["/models/a/model.safetensors", "model.safetensors"],
  ["/models/a (1)", "a (1)"],
  ["linear(/models/a, /models/b.safetensors)", "linear(a, b.safetensors)"],
  ["slerp(linear(x/a, y/b), ties(/c, d/e/f))", "slerp(linear(a, b), ties(c, f))"],
])("the source %s is named %s in what is stored", (source, name) => {
  expect(sourceName(source)).toBe(name);
});

const recipe: FileMerge = { networks: ["a.safetensors", "b.safetensors"], method: "linear", seed: 4 };

/** Opens a merge as a program does that finds the inputs by their names. */
const open = ({ recipe: stored, inputs }: MergeProvenance) =>
  openMergeSource(
    describeFileMerge({ ...(stored as FileMerge), networks: inputs.map(({ source }) => path(source)) }),
  );

async function save(options: SaveMergeOptions = {}): Promise<string> {
  const networks = recipe.networks.map(path);
  const { plan, close } = await openMergeSource(describeFileMerge({ ...recipe, networks }));
  const saved = await saveMerge(plan, path("out.safetensors"), { recipe, ...options });
  await close();
  return saved.path;
}

describe("verifyMerge()", () => {
  it("makes the merge again from its metadata, and finds every tensor the same", async () => {
    const sha256 = createHash("sha256")
      .update(readFileSync(path("b.safetensors")))
      .digest("hex");
    const result = await verifyMerge(await save({ hashInputs: true }), open);
    expect(result).toMatchObject({ ok: true, same: 2, deviations: [], changedInputs: [] });
    expect(result.provenance).toMatchObject({
      verb: "merge",
      seed: 4,
      recipe,
      version: expect.stringMatching(/^\d/),
    });
    expect(result.provenance.inputs[1]).toEqual({
      source: "b.safetensors",
      files: [{ name: "b.safetensors", sha256 }],
    });
  });

  it("does not depend on where inputs lie", async () => {
    expect((await save()).length).toBeGreaterThan(0);
    const checkpoint = await openCheckpoint(path("out.safetensors"));
    expect(JSON.stringify(checkpoint.metadata)).not.toContain(folder);
    await checkpoint.close();
  });

  it("names the tensor and the element that were changed", async () => {
    const saved = await save();
    const bytes = readFileSync(saved);
    bytes.writeFloatLE(4.5, bytes.length - 4);
    writeFileSync(saved, bytes);
    expect(await verifyMerge(saved, open)).toMatchObject({
      ok: false,
      same: 1,
      deviations: [
        { tensor: "w", element: 1, reason: "element 1 is stored as 4.5, and as 4 when made again" },
      ],
    });
  });

  it("names inputs that have changed, and what that does", async () => {
    const saved = await save({ hashInputs: true });
    await saveNetwork("b.safetensors", 5);
    const { ok, changedInputs, deviations } = await verifyMerge(saved, open);
    expect({ ok, changedInputs, deviations: deviations.length }).toEqual({
      ok: false,
      changedInputs: ["b.safetensors"],
      deviations: 2,
    });
  });

  it("names tensors that are missing, too many, or of another shape", async () => {
    const saved = await save();
    const vector = (length: number) => createTensor("f32", [length], new Float32Array(length));
    const checkpoint = await openCheckpoint(saved);
    await saveCheckpoint(createCheckpoint({ w: vector(3), u: vector(1) }), path("changed.safetensors"), {
      metadata: checkpoint.metadata,
    });
    await checkpoint.close();
    const { deviations } = await verifyMerge(path("changed.safetensors"), open);
    expect(new Map(deviations.map(({ tensor, reason }) => [tensor, reason]))).toEqual(
      new Map([
        ["w", "it is f32 [3] in the file, and f32 [2] when made again"],
        ["v", "the file lacks it"],
        ["u", "the merge has none of that name"],
      ]),
    );
  });

  it("refuses checkpoints that say nothing of a merge", async () => {
    await expect(verifyMerge(path("a.safetensors"), open)).rejects.toThrow(/must say how it was merged/);
  });
});
