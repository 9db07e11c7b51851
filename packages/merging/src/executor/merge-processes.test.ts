import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  createRandom,
  type DType,
  defineCheckpoint,
  InputError,
  openCheckpoint,
  saveCheckpoint,
} from "@isthmus/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { repeatInto } from "../../../../test/helpers/repeat-into.ts";
import { runMergeChild, startMergeChild } from "../../test/run-merge-child.ts";
import { describeFileMerge } from "./file-merge.ts";
import { journalPath } from "./merge-journal.ts";
import { openMergeSource } from "./merge-source.ts";
import { saveMerge } from "./save-merge.ts";

const SLOW = fileURLToPath(new URL("../../test/slow-mean.mjs", import.meta.url));
const PIECE = 2 ** 18;

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-merge-processes-"));
  for (const seed of [1, 2]) await makeNetwork(path(`${seed}.safetensors`), seed, "f32", 2 ** 21);
});
afterAll(() => rmSync(folder, { recursive: true }));

const path = (name: string): string => join(folder, name);

/** Writes a network of made-up numbers: two large tensors and some small ones. */
async function makeNetwork(file: string, seed: number, dtype: DType, elements: number): Promise<void> {
  const sizes = [elements / 2, elements / 4, ...Array<number>(8).fill(elements / 32)];
  const tensors = new Map(sizes.map((size, i) => [`t${i}`, { dtype, shape: [size / 256, 256] }]));
  const random = createRandom(seed, "numbers");
  const table = Array.from({ length: 2 ** 16 }, () => Math.floor(random.uniform() * 256));
  // The high byte of bf16 and f32 is kept small, so that every number is finite.
  const numbers =
    dtype === "bf16"
      ? Uint16Array.from(table, (byte) => 0x3f00 + byte)
      : Float32Array.from(table, (byte) => byte / 256 - 0.5);
  const network = defineCheckpoint({
    source: file,
    tensors,
    async readInto(_, begin, out) {
      repeatInto(numbers, begin, out as typeof numbers);
    },
  });
  await saveCheckpoint(network, file);
}

const merge = (method: string) => ({
  networks: [path("1.safetensors"), path("2.safetensors")],
  method,
  ...(method === "slow_mean" && { methodFile: SLOW }),
  ...(method === "slerp" && { parameters: { t: 0.5 } }),
});

describe("saveMerge() in threads", () => {
  it("writes the same bytes by 1 and 3 threads, whatever the method", async () => {
    const methods = ["linear", "slerp", "slow_mean"];
    const fileOf = (method: string, threads: number) => path(`${method}-${threads}.safetensors`);
    const cases = methods.flatMap((method) => [1, 3].map((threads) => ({ method, threads })));
    const replies = await runMergeChild(
      ...cases.map(({ method, threads }) => ({
        ...{ merge: merge(method), path: fileOf(method, threads) },
        options: { threads, pieceBytes: PIECE, hashInputs: true },
      })),
    );
    expect(replies.map(({ result }) => result?.threads)).toEqual(cases.map(({ threads }) => threads));
    for (const { method, threads } of cases) {
      const isSame = readFileSync(fileOf(method, threads)).equals(readFileSync(fileOf(method, 1)));
      expect({ method, threads, isSame }).toMatchObject({ isSame: true });
    }
  });

  it("refuses a description that makes another plan", async () => {
    const { plan, close } = await openMergeSource(describeFileMerge(merge("linear")));
    const source = describeFileMerge({ ...merge("linear"), seed: 7 });
    const file = path("other.safetensors");
    await expect(saveMerge(plan, file, { source, threads: 2 })).rejects.toThrow(
      /must make the plan that was given from its data alone/,
    );
    expect(existsSync(file)).toBe(false);
    await close();
  });

  it.each([
    { name: "killed.safetensors", folder: ".killed.unfinished", kills: 3, encoding: undefined },
    { name: "killed.gguf", folder: ".killed.gguf.unfinished", kills: 1, encoding: "q4_k_m" },
  ] as const)(
    "goes on after it was killed at any moment, to the bytes of a merge that was not: $name",
    async (killed) => {
      const request = {
        ...{ merge: merge("slow_mean"), options: { threads: 2, pieceBytes: PIECE } },
        ...(killed.encoding && { gguf: { dtype: killed.encoding } }),
      };
      const whole = path(`un${killed.name}`);
      await runMergeChild({ ...request, path: whole });
      const random = createRandom(5, "kills");
      const file = path(killed.name);
      const journal = journalPath(path(killed.folder));
      for (let kills = 0; kills < killed.kills; kills++) {
        const lines = countLines(journal) + 1 + Math.floor(random.uniform() * 8);
        const child = startMergeChild({ ...request, path: file });
        while (countLines(journal) < lines && child.exitCode === null) await setTimeout(2);
        child.kill("SIGKILL");
        await once(child, "exit");
        expect(existsSync(file)).toBe(false);
      }
      const [{ result, notes }] = await runMergeChild({ ...request, path: file });
      expect(notes).toEqual([expect.stringMatching(/^Going on with/)]);
      expect(result?.resumedBytes).toBeGreaterThanOrEqual(killed.kills * PIECE);
      expect(readFileSync(file).equals(readFileSync(whole))).toBe(true);
    },
  );

  it("stays within its memory, however large the tensors are", async () => {
    for (const seed of [3, 4]) await makeNetwork(path(`${seed}.safetensors`), seed, "bf16", 2 ** 27);
    const networks = [path("3.safetensors"), path("4.safetensors")];
    const memory = 2 ** 28;
    const [{ result }] = await runMergeChild({
      ...{ merge: { networks, method: "slerp", parameters: { t: 0.5 } }, path: path("large.safetensors") },
      options: { threads: 2, memory },
    });
    expect(result?.bytes).toBeGreaterThan(memory - 2 ** 24);
    expect(result?.peakBytes).toBeLessThan(memory);
  });
});

function countLines(file: string): number {
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").length - 1 : 0;
}

describe("saveMerge() on a full disk", () => {
  // Only root may mount a small disk.
  it.skipIf(process.getuid?.() !== 0)("says so, and goes on when there is room again", async () => {
    const disk = path("disk");
    mkdirSync(disk);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=12m", "tmpfs", disk]);
    try {
      const { plan, close } = await openMergeSource(describeFileMerge(merge("slow_mean")));
      const file = join(disk, "out.safetensors");
      let isFilled = false;
      const fill = (): void => {
        if (isFilled) return;
        isFilled = true;
        const { bavail, bsize } = statfsSync(disk);
        writeFileSync(join(disk, "filler"), new Uint8Array(bavail * bsize - 2 ** 21));
      };
      const filled = saveMerge(plan, file, { pieceBytes: PIECE, threads: 1, onProgress: fill });
      await expect(filled).rejects.toBeInstanceOf(InputError);
      await expect(filled).rejects.toThrow(
        /out\.safetensors" as the disk must have room: it is full; .*the same merge goes on from there/,
      );
      await expect(saveMerge(plan, file, { pieceBytes: PIECE })).rejects.toThrow(
        /must have room for \d+ bytes/,
      );
      rmSync(join(disk, "filler"));
      const { resumedBytes } = await saveMerge(plan, file, { pieceBytes: PIECE });
      expect(resumedBytes).toBeGreaterThan(0);
      await saveMerge(plan, path("roomy.safetensors"));
      expect(readFileSync(file).equals(readFileSync(path("roomy.safetensors")))).toBe(true);
      await close();
    } finally {
      execFileSync("umount", ["-l", disk]);
    }
  });
});

describe("openMergeSource()", () => {
  it("refuses modules without openMerge, and methods that are not there", async () => {
    await expect(openMergeSource({ module: SLOW, data: {} })).rejects.toThrow(
      /must export a function openMerge/,
    );
    const unknown = describeFileMerge({ ...merge("linear"), method: "linaer" });
    await expect(openMergeSource(unknown)).rejects.toThrow(
      /there must be a method of that name: there are linear/,
    );
    const missing = describeFileMerge({ ...merge("slow_mean"), method: "other" });
    await expect(openMergeSource(missing)).rejects.toThrow(
      /slow-mean\.mjs" must export a method of that name/,
    );
  });

  it("opens the networks that it names", async () => {
    const { plan, close } = await openMergeSource(describeFileMerge(merge("linear")));
    const checkpoint = await openCheckpoint(path("1.safetensors"));
    expect([...plan.tensors.keys()]).toEqual([...checkpoint.tensors.keys()]);
    await Promise.all([close(), checkpoint.close()]);
  });
});
