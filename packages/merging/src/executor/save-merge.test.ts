import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Checkpoint,
  createCheckpoint,
  createRandom,
  createTensor,
  fromFloat64Into,
  openCheckpoint,
  saveCheckpoint,
} from "@isthmus/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { planMerge } from "../merge.ts";
import { mergeByPlan } from "../merge-plan.ts";
import { linear } from "../methods/linear.ts";
import { slerp } from "../methods/slerp.ts";
import { mergeMetadata } from "./provenance.ts";
import { saveMerge } from "./save-merge.ts";

let folder: string;
let opened: Checkpoint[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-save-merge-"));
  opened = [];
});
afterEach(async () => {
  for (const checkpoint of opened) await checkpoint.close();
  rmSync(folder, { recursive: true });
});

/** Tensors of several element types and sizes, of which some are larger than a piece. */
function network(seed: number): Checkpoint {
  const random = createRandom(seed, "network");
  const normals = (count: number) => Float64Array.from({ length: count }, () => random.normal());
  return createCheckpoint(
    new Map([
      ["big.weight", createTensor("f32", [60, 50], new Float32Array(normals(3000)))],
      [
        "half.weight",
        createTensor("bf16", [1000], fromFloat64Into(normals(1000), "bf16", new Uint16Array(1000))),
      ],
      ["small.bias", createTensor("f32", [3], new Float32Array(normals(3)))],
      ["steps", createTensor("i64", [], BigInt64Array.of(BigInt(seed)))],
      ["empty", createTensor("f32", [0, 4], new Float32Array(0))],
    ]),
    { format: "pt" },
  );
}

async function openFile(name: string, seed: number): Promise<Checkpoint> {
  const path = join(folder, name);
  await saveCheckpoint(network(seed), path, { overwrite: true });
  const checkpoint = await openCheckpoint(path);
  opened.push(checkpoint);
  return checkpoint;
}

const planOf = async () =>
  planMerge([await openFile("a.safetensors", 1), await openFile("b.safetensors", 2)], {
    method: slerp,
    parameters: { t: 0.5 },
  });

/** A plan that fails at a range of its last tensor, and then no more. */
async function planThatFails() {
  const plan = await planOf();
  let fails = true;
  const method = {
    ...slerp,
    blendInto: (...[range, out]: Parameters<typeof slerp.blendInto>) => {
      if (fails && range.tensor.name === "big.weight" && range.begin >= 2000) throw new Error("a mistake");
      return slerp.blendInto(range, out);
    },
  };
  const tensors = [...plan.tensors].map(
    ([name, planned]) => [name, { ...planned, method: method as never }] as const,
  );
  return {
    plan: { ...plan, tensors: new Map(tensors) },
    repair: () => {
      fails = false;
    },
  };
}

const out = (name = "out.safetensors") => join(folder, name);
const bytesIn = (paths: readonly string[]) => Buffer.concat(paths.map((path) => readFileSync(path)));
const hiddenNames = () => readdirSync(folder).filter((name) => name.startsWith("."));

describe("saveMerge()", () => {
  it("writes the bytes that saving the merge in one go writes, in one file or shards", async () => {
    const plan = await planOf();
    const metadata = mergeMetadata(plan, {}, undefined);
    for (const maxShardBytes of [1e9, 4000]) {
      const expected = await saveCheckpoint(mergeByPlan(plan), out(`x-${maxShardBytes}`), {
        maxShardBytes,
        metadata,
      });
      const saved = await saveMerge(plan, out(`y-${maxShardBytes}`), { maxShardBytes, pieceBytes: 1024 });
      expect(bytesIn(saved.files)).toEqual(bytesIn(expected.files));
      expect(saved.bytes).toBe(expected.bytes);
      expect(saved.files.length).toBe(expected.files.length);
      expect(readdirSync(out(`y-${maxShardBytes}`))).toEqual(readdirSync(out(`x-${maxShardBytes}`)));
    }
  });

  it("counts tensors that were merged, copied, and left out", async () => {
    const [a, b] = [await openFile("a.safetensors", 1), await openFile("b.safetensors", 2)];
    const plan = planMerge([a, b], { method: linear });
    const tensors = new Map([...plan.tensors].filter(([name]) => name !== "small.bias"));
    const progress: number[] = [];
    const { tensors: counts, ...saved } = await saveMerge({ ...plan, tensors }, out(), {
      onProgress: ({ done }) => progress.push(done),
    });
    expect(counts).toEqual({ merged: 3, copied: 1, absent: ["small.bias"] });
    expect(saved.peakBytes).toBeGreaterThan(2 ** 20);
    expect(progress.at(-1)).toBe(1);
  });

  it("says before it starts what it will read and write; surveys count", async () => {
    const estimates: unknown[] = [];
    const onStart = (estimate: unknown): void => void estimates.push(estimate);
    await saveMerge(await planOf(), out(), { threads: 2, memory: 2 ** 30, onStart });
    const floats = 4 * 3000 + 2 * 1000 + 4 * 3;
    expect(estimates).toMatchObject([
      { readBytes: 2 * 2 * floats + 8, writtenBytes: floats + 8, threads: 2 },
    ]);
  });

  it("refuses to replace an earlier checkpoint, or an input, and leaves nothing behind", async () => {
    const plan = await planOf();
    await saveMerge(plan, out());
    await expect(saveMerge(plan, out())).rejects.toThrow(/must not replace an earlier checkpoint/);
    await expect(saveMerge(plan, join(folder, "a.safetensors"), { overwrite: true })).rejects.toThrow(
      /must not be a file that is read from/,
    );
    expect((await saveMerge(plan, out(), { overwrite: true })).resumedBytes).toBe(0);
    expect(hiddenNames()).toEqual([]);
  });

  it("goes on after a failure, and gives the bytes of a merge that did not fail", async () => {
    const { plan, repair } = await planThatFails();
    const notes: string[] = [];
    const options = { pieceBytes: 1024, onNote: (note: string) => void notes.push(note) };
    await expect(saveMerge(plan, out(), options)).rejects.toThrow("a mistake");
    expect(existsSync(out())).toBe(false);
    repair();
    const { resumedBytes } = await saveMerge(plan, out(), options);
    expect(resumedBytes).toBeGreaterThan(2000);
    await saveMerge(plan, out("whole.safetensors"));
    expect(readFileSync(out())).toEqual(readFileSync(out("whole.safetensors")));
    expect(notes).toEqual([
      expect.stringMatching(/^Interrupted; what is finished stays in ".*unfinished"/),
      expect.stringMatching(/^Going on with what was interrupted at ".*": \d+ pieces are finished$/),
    ]);
    expect(hiddenNames()).toEqual([]);
  });

  it.each([
    ["an input", /the file ".*a\.safetensors" has changed/, {}],
    ["the recipe", /its metadata has changed/, { recipe: { changed: true } }],
    ["the size of shards", /the size of shards has changed/, { maxShardBytes: 5000 }],
    ["what numbers are allowed", /whether numbers must be finite has changed/, { allowNonFinite: true }],
    ["what is asked for", /that was asked for/, { resume: false }],
  ])("starts anew if %s has changed, and says so", async (what, reason, changed) => {
    const { plan, repair } = await planThatFails();
    const options = { pieceBytes: 1024 };
    await expect(saveMerge(plan, out(), options)).rejects.toThrow("a mistake");
    repair();
    if (what === "an input") {
      // Networks that are open refuse to be read once their files have changed: they are opened again.
      utimesSync(join(folder, "a.safetensors"), 1, 1);
      const again = await openCheckpoint(join(folder, "a.safetensors"));
      opened.push(again);
      Object.assign(plan, { networks: [again, ...plan.networks.slice(1)] });
    }
    const notes: string[] = [];
    const onNote = (note: string): void => void notes.push(note);
    const { resumedBytes } = await saveMerge(plan, out(), { ...options, ...changed, onNote });
    expect(resumedBytes).toBe(0);
    expect(notes).toEqual([expect.stringMatching(/^Starting anew what was interrupted at/)]);
    expect(notes[0]).toMatch(reason);
  });

  it("does not go on with networks that no file shows", async () => {
    const { plan, repair } = await planThatFails();
    const computed = { ...plan, networks: [network(1), network(2)] as const };
    await expect(saveMerge(computed, out(), { pieceBytes: 1024 })).rejects.toThrow("a mistake");
    repair();
    const notes: string[] = [];
    await saveMerge(computed, out(), { pieceBytes: 1024, onNote: (note) => void notes.push(note) });
    expect(notes).toEqual([expect.stringMatching(/some network that is computed has changed/)]);
  });

  it("takes back files that were being renamed when it was killed", async () => {
    const { plan, repair } = await planThatFails();
    const options = { pieceBytes: 1024, maxShardBytes: 4000 };
    const path = join(folder, "sharded");
    await expect(saveMerge(plan, path, options)).rejects.toThrow("a mistake");
    const hidden = join(path, ".model.unfinished");
    const shards = readdirSync(hidden).filter((name) => name.endsWith(".safetensors"));
    const [first = ""] = shards;
    // As a process leaves it that is killed after its first rename; the shard has no header yet, which is written again.
    const { renameSync } = await import("node:fs");
    writeFileSync(
      join(hidden, "publishing.json"),
      JSON.stringify([...shards, "model.safetensors.index.json"]),
    );
    renameSync(join(hidden, first), join(path, first));
    repair();
    const saved = await saveMerge(plan, path, options);
    expect(saved.resumedBytes).toBeGreaterThan(0);
    const whole = await saveMerge(plan, join(folder, "whole"), { maxShardBytes: 4000 });
    expect(bytesIn(saved.files)).toEqual(bytesIn(whole.files));
  });

  it("stops when the signal is aborted, and goes on from there", async () => {
    const plan = await planOf();
    const controller = new AbortController();
    const stopped = saveMerge(plan, out(), {
      pieceBytes: 1024,
      threads: 1,
      signal: controller.signal,
      onProgress: ({ done }) => done > 0.5 && controller.abort(),
    });
    await expect(stopped).rejects.toMatchObject({ name: "AbortError" });
    expect((await saveMerge(plan, out(), { pieceBytes: 1024 })).resumedBytes).toBeGreaterThan(0);
  });

  it("refuses numbers that are not finite unless they are allowed", async () => {
    const bad = createCheckpoint({ w: createTensor("f32", [2], Float32Array.of(1, Number.NaN)) });
    const plan = planMerge([bad, bad], { method: linear });
    await expect(saveMerge(plan, out())).rejects.toThrow(/"w"/);
    expect(readdirSync(folder)).toEqual([]);
    await saveMerge(plan, out(), { allowNonFinite: true });
    expect(readdirSync(folder)).toEqual(["out.safetensors"]);
  });

  it("leaves nothing of a merge that is refused half-way, and does not call it interrupted", async () => {
    const data = new Float32Array(4096).fill(1);
    data[4000] = Number.NaN;
    const path = join(folder, "bad.safetensors");
    const bad = createCheckpoint({ w: createTensor("f32", [4096], data) });
    await saveCheckpoint(bad, path, { allowNonFinite: true });
    const network = await openCheckpoint(path);
    opened.push(network);
    const notes: string[] = [];
    const merging = saveMerge(planMerge([network, network], { method: linear }), out(), {
      ...{ pieceBytes: 1024, threads: 1, onNote: (note: string) => void notes.push(note) },
    });
    await expect(merging).rejects.toThrow(/must be finite: in "w" of ".*" 1 of 4096 is NaN/);
    expect(notes).toEqual([]);
    expect(readdirSync(folder)).toEqual(["bad.safetensors"]);
  });

  it("refuses to have other machines make what nothing describes to them", async () => {
    const openExecutor = () => Promise.reject(new Error("opened"));
    await expect(saveMerge(await planOf(), out(), { openExecutor })).rejects.toThrow(
      "source must describe it",
    );
    expect(existsSync(out())).toBe(false);
  });

  it("refuses too little memory, and says how much is needed", async () => {
    await expect(saveMerge(await planOf(), out(), { memory: 1000 })).rejects.toThrow(
      /within 1000 bytes of memory as it needs at least \d{9}/,
    );
    await expect(saveMerge(await planOf(), out(), { threads: 0 })).rejects.toThrow(
      /"threads" must be a whole number/,
    );
  });
});
