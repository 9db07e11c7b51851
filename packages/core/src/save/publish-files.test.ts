import { spawnSync } from "node:child_process";
import { promises } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCheckpoint } from "../checkpoint/create-checkpoint.ts";
import { InputError, isIsthmusError } from "../errors.ts";
import { openCheckpoint } from "../open-checkpoint.ts";
import { saveCheckpoint } from "../save-checkpoint.ts";
import { toFloat32 } from "../tensor/convert.ts";

/** Steps at which names of files change, and after how many of them the system lets no more happen. */
const disk = {
  steps: 0,
  last: Number.POSITIVE_INFINITY,
  failing: -1,
  beforeOpen: async (_path: string): Promise<void> => {},
};

const real = { ...promises };

/** Returns a call of the system that fails after the last step, and at the step that is to fail. */
function gated<A extends unknown[], R>(call: (...args: A) => Promise<R>) {
  return async (...args: A): Promise<R> => {
    const step = disk.steps++;
    if (step >= disk.last) throw new RangeError("killed, as in the test");
    if (step === disk.failing) throw Object.assign(new RangeError("failed"), { code: "EACCES" });
    return call(...args);
  };
}

let root: string;
let count = 0;
beforeAll(async () => {
  const open: typeof promises.open = async (path, ...rest) => {
    await disk.beforeOpen(String(path));
    return real.open(path, ...rest);
  };
  const { rename, unlink, rm: remove } = promises;
  Object.assign(promises, { open, rename: gated(rename), unlink: gated(unlink), rm: gated(remove) });
  // Modules that were loaded before see the changed functions, too.
  syncBuiltinESMExports();
  root = await mkdtemp(join(tmpdir(), "isthmus-publish-"));
});
afterAll(async () => {
  Object.assign(promises, real);
  syncBuiltinESMExports();
  await rm(root, { recursive: true });
});

function reset(): void {
  Object.assign(disk, { steps: 0, last: Number.POSITIVE_INFINITY, failing: -1 });
}

async function newFolder(): Promise<string> {
  const folder = join(root, String(count++));
  await mkdir(folder);
  return folder;
}

const TENSORS = ["a", "b", "c", "d"];

/** Saves four tensors that all hold `value`, in so many shards. */
function save(folder: string, value: number, shards: number): Promise<unknown> {
  const tensor = { dtype: "f32", shape: [1], data: Float32Array.of(value) } as const;
  const checkpoint = createCheckpoint(new Map(TENSORS.map((name) => [name, tensor])));
  return saveCheckpoint(checkpoint, folder, { maxShardBytes: 4 * Math.ceil(4 / shards), overwrite: true });
}

/**
 * The value that all tensors have of what opens under a path; undefined if nothing opens, as then a reason is
 * given.
 */
async function openedValue(path: string): Promise<number | undefined> {
  try {
    const checkpoint = await openCheckpoint(path);
    const values = await Promise.all(TENSORS.map((name) => checkpoint.read(name)));
    await checkpoint.close();
    expect([...checkpoint.tensors.keys()].sort()).toEqual(TENSORS);
    const [value, ...mixed] = new Set(values.map(({ data }) => toFloat32(data, "f32")[0]));
    expect(mixed).toEqual([]);
    return value;
  } catch (error) {
    if (!isIsthmusError(error)) throw error;
    return undefined;
  }
}

/** What opens in a folder, under any of the paths that people use. */
async function openable(folder: string): Promise<Set<number>> {
  const names = [".", "model.safetensors", "model.safetensors.index.json"];
  const values = await Promise.all(names.map((name) => openedValue(join(folder, name))));
  return new Set(values.filter((value) => value !== undefined));
}

const ended = spawnSync(process.execPath, ["-e", ""]).pid;
const LOCK = ".model.safetensors.index.json.saving.lock";

/** Saves until the process is killed before step `last`; returns whether it was. */
async function saveKilled(folder: string, { value, shards, last }: Save): Promise<boolean> {
  reset();
  disk.last = last ?? Number.POSITIVE_INFINITY;
  const saved = await save(folder, value, shards).then(
    () => true,
    () => false,
  );
  const wasKilled = disk.steps > disk.last;
  reset();
  // What the process left, its lock and its claims to remove one, says that it is of one that is gone.
  const left = (await readdir(folder)).filter((name) => name.startsWith(LOCK));
  for (const name of left) await writeFile(join(folder, name), `${ended}-1`);
  expect(saved || wasKilled).toBe(true);
  return wasKilled;
}

interface Save {
  readonly value: number;
  readonly shards: number;
  readonly last?: number | undefined;
}

describe("publishFiles()", () => {
  // 2 and 4 shards; 1 is a file without a number.
  const counts = [1, 2, 4];
  const cases = counts.flatMap((from) => counts.map((to) => [from, to] as const));

  it.each(cases)(
    "leaves the earlier checkpoint, the new one or nothing when killed, from %i to %i files",
    async (from, to) => {
      const seen = new Set<number | undefined>();
      for (let last = 0; ; last++) {
        const folder = await newFolder();
        await save(folder, 1, from);
        const wasKilled = await saveKilled(folder, { value: 2, shards: to, last });
        for (const value of await openable(folder)) expect([1, 2]).toContain(value);
        seen.add(await openedValue(folder));
        // Where nothing must give way, nothing is lost.
        if (from === 1 || from !== to) expect((await openable(folder)).size).toBeGreaterThan(0);
        await save(folder, 3, to);
        expect([...(await openable(folder))]).toEqual([3]);
        if (!wasKilled) break;
      }
      expect(seen).toContain(1);
      expect(seen).toContain(2);
    },
  );

  it.each(counts)(
    "leaves nothing or the whole when killed in a fresh folder, of %i files",
    async (shards) => {
      for (let last = 0, wasKilled = true; wasKilled; last++) {
        const folder = await newFolder();
        wasKilled = await saveKilled(folder, { value: 1, shards, last });
        for (const value of await openable(folder)) expect(value).toBe(1);
        if (!wasKilled) expect(await openedValue(folder)).toBe(1);
      }
    },
  );

  it("never opens a mix, nor what was not there before, however often it is killed", async () => {
    const saves = fc.array(
      fc.record({
        shards: fc.constantFrom(...counts),
        last: fc.option(fc.nat({ max: 14 }), { nil: undefined }),
      }),
      { minLength: 1, maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(saves, async (list) => {
        const folder = await newFolder();
        for (const [value, each] of list.entries()) {
          const before = await openable(folder);
          const wasKilled = await saveKilled(folder, { ...each, value });
          const after = await openable(folder);
          for (const each of after) expect([...before, value]).toContain(each);
          if (!wasKilled) expect([...after]).toEqual([value]);
        }
      }),
      { numRuns: 30 },
    );
  });

  it.each(cases)(
    "brings the earlier checkpoint back when a step fails, from %i to %i files",
    async (from, to) => {
      for (let failing = 0; ; failing++) {
        const folder = await newFolder();
        await save(folder, 1, from);
        const before = await readdir(folder);
        reset();
        disk.failing = failing;
        const error = await save(folder, 2, to).catch((reason: unknown) => reason);
        const wasReached = disk.steps > failing;
        reset();
        if (!wasReached) break;
        if (error instanceof InputError && /^Cannot (write|replace)/.test(error.message)) {
          expect(error.message).toMatch(/as you must have the right to/);
          expect((await readdir(folder)).sort()).toEqual(before.sort());
          expect([...(await openable(folder))]).toEqual([1]);
        } else if (error instanceof InputError) {
          // The new checkpoint is complete, and the message says what of the earlier one is in its way.
          expect(error.message).toMatch(/^Cannot remove ".*" of the earlier checkpoint as you must have the/);
          expect(await openable(folder)).toContain(2);
        } else {
          // What failed was only to remove a temporary file, or to give back the lock.
          expect(await openedValue(folder)).toBe(2);
        }
      }
    },
  );

  it.each([2, 4])(
    "refuses shards that are replaced by %i while they are opened one after another",
    async (shards) => {
      for (const indexed of [true, false]) {
        for (let number = 1; number <= 4; number++) {
          const folder = await newFolder();
          await save(folder, 1, 4);
          if (!indexed) await rm(join(folder, "model.safetensors.index.json"));
          const shard = join(folder, `model-0000${number}-of-00004.safetensors`);
          disk.beforeOpen = async (path) => {
            if (path !== shard) return;
            disk.beforeOpen = async () => {};
            await save(folder, 2, shards);
          };
          await expect(openCheckpoint(folder)).rejects.toThrow(
            /it must exist|must stay as they are meanwhile/,
          );
          expect([...(await openable(folder))]).toEqual([2]);
        }
      }
    },
  );

  it("lets one process at a time save shards in a place", async () => {
    const folder = await newFolder();
    await writeFile(join(folder, LOCK), `${process.ppid}-0`);
    await expect(save(folder, 1, 2)).rejects.toThrow(`process ${process.ppid} is; wait for its end`);
    await save(folder, 2, 1);
    expect(await openedValue(folder)).toBe(2);
    await expect(save(folder, 3, 2)).rejects.toThrow(InputError);
    expect((await readdir(folder)).sort()).toEqual([LOCK, "model.safetensors"]);
    await writeFile(join(folder, LOCK), `${ended}-1`);
    await save(folder, 4, 1);
    expect(await readdir(folder)).toEqual(["model.safetensors"]);
  });

  it("waits for the disk between its steps, if told to", async () => {
    const folder = await newFolder();
    await save(folder, 1, 2);
    const tensor = { dtype: "f32", shape: [1], data: Float32Array.of(2) } as const;
    const checkpoint = createCheckpoint(new Map(TENSORS.map((name) => [name, tensor])));
    await saveCheckpoint(checkpoint, folder, { maxShardBytes: 8, overwrite: true, durable: true });
    expect(await openedValue(folder)).toBe(2);
  });
});
