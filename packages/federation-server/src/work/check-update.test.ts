import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCheckpoint, createTensor, saveCheckpoint } from "@isthmus/core";
import { afterAll, describe, expect, it } from "vitest";
import { checkUpdate } from "./check-update.ts";
import { scanUpload } from "./scan-upload.ts";

const folder = mkdtempSync(join(tmpdir(), "isthmus-check-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes a network of four weights and one running variance, all alike. */
async function write(name: string, weight: number, variance: number): Promise<string> {
  const path = join(folder, `${name}.safetensors`);
  const tensors = {
    weight: createTensor("f32", [4], new Float32Array(4).fill(weight)),
    "norm.running_var": createTensor("f32", [1], Float32Array.of(variance)),
  };
  await saveCheckpoint(createCheckpoint(tensors), path, { overwrite: true });
  return path;
}

async function refusalOf(
  [before, after]: readonly [number, number],
  { norm = "auto", variance = 1 }: { norm?: number | "auto" | "none"; variance?: number } = {},
): Promise<string | null> {
  const network = await write(`network of ${before}`, before, 1);
  const update = await write("update", after, variance);
  const statistics = { averaged: ["norm.running_var"], variances: ["norm.running_var"] };
  const parts = { network, keep: [], ...statistics, rank: null, adapters: undefined };
  const { size } = statSync(update);
  const upload = { client: "ada", upload: 1, path: update, length: size, written: size, parts };
  const { scanned } = await scanUpload(upload);
  if (scanned === null) throw new Error("The scan must end as all bytes are there");
  return (await checkUpdate({ client: "ada", update, scanned, ...parts, norm })).refusal;
}

describe("checkUpdate()", () => {
  it("checkUpdate() without a limit lets parameters go 1000 times their norm, and at least 1000", async () => {
    // Four weights of 5 have a norm of 10, and four of x one of 2 x.
    expect(await refusalOf([5, 5004])).toBeNull();
    expect(await refusalOf([5, 5006])).toMatch(
      /must be at most 1\.000e\+4, which is 1000 times that of the network.*it is 1\.000e\+4; .*"limits\.norm"/,
    );
    expect(await refusalOf([0, 499])).toBeNull();
    expect(await refusalOf([0, 501])).toMatch(/must be at most 1000, /);
    expect(await refusalOf([0.1, 1e30])).toMatch(/it is 2\.000e\+30/);
  });

  it("checkUpdate() without a limit does not count running statistics, and with one it does", async () => {
    expect(await refusalOf([1, 1], { variance: 1e9 })).toBeNull();
    expect(await refusalOf([1, 1], { variance: 1e9, norm: 100 })).toMatch(/must be at most 100: it is/);
    expect(await refusalOf([1, 31], { norm: 61 })).toBeNull();
    expect(await refusalOf([1, 32], { norm: 61 })).toMatch(/must be at most 61: it is 62/);
  });

  it("checkUpdate() with the limit switched off takes all norms that f32 holds, and no others", async () => {
    expect(await refusalOf([0.1, 1e30], { norm: "none" })).toBeNull();
    for (const norm of ["none", "auto", 1e300] as const) {
      const refusal = await refusalOf([-1e38, 2e38], { norm });
      expect(refusal).toBe("the norm of its change must be a number of f32: it is 6.000e+38");
    }
    expect(await refusalOf([1, 1], { norm: "none", variance: 3.4e38 })).toBeNull();
  });

  it("checkUpdate() refuses a negative running variance by name, and no negative weight", async () => {
    expect(await refusalOf([1, -1])).toBeNull();
    expect(await refusalOf([1, 1], { variance: 0 })).toBeNull();
    expect(await refusalOf([1, 1], { variance: -20, norm: "none" })).toBe(
      'its variances must not be negative: element 0 of "norm.running_var" is -20',
    );
  });
});
