import { createHash } from "node:crypto";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCheckpoint, createTensor, saveCheckpoint, squaredNorm } from "@isthmus/core";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { type ScannedUpload, scanUpload } from "./scan-upload.ts";

const folder = mkdtempSync(join(tmpdir(), "isthmus-scan-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes a network with a large tensor, a running variance, a count and a bias, in an order of their names. */
async function write(name: string, spoil?: (weight: Float32Array) => void) {
  const weight = Float32Array.from({ length: 100_003 }, (_, i) => Math.sin(i));
  spoil?.(weight);
  const network = createCheckpoint({
    "a.weight": createTensor("f32", [weight.length], weight),
    "b.count": createTensor("i64", [1], BigInt64Array.of(7n)),
    "c.bias": createTensor("f32", [3], Float32Array.of(1, 2, 2)),
  });
  const path = join(folder, `${name}.safetensors`);
  await saveCheckpoint(network, path, { overwrite: true, allowNonFinite: true });
  return { path, bytes: readFileSync(path), weight };
}

let uploads = 0;
const network = await write("network");
const statistics = { averaged: ["c.bias"], variances: ["c.bias"] };
const parts = { network: network.path, keep: [], ...statistics, rank: null, adapters: undefined };

/** Lets bytes arrive up to each of some places, and goes on with their scan after each. */
async function scanIn(bytes: Uint8Array, places: readonly number[]): Promise<ScannedUpload> {
  const path = join(folder, "incoming");
  writeFileSync(path, "");
  const upload = { client: "ada", upload: ++uploads, path, length: bytes.length, parts };
  let [written, last] = [0, await scanUpload({ ...upload, written: 0 })];
  for (const place of [...places].sort((a, b) => a - b).concat(bytes.length)) {
    appendFileSync(path, bytes.subarray(written, place));
    written = place;
    last = await scanUpload({ ...upload, written });
  }
  if (last.scanned === null) throw new Error("The scan must end with the last byte");
  return last.scanned;
}

const digestOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe("scanUpload()", () => {
  it("finds the same, however bytes arrive", async () => {
    const { bytes, weight } = network;
    const parameters = squaredNorm({ dtype: "f32", data: weight });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 6 }), async (places) => {
        const { hash, fault, squares } = await scanIn(bytes, places);
        expect({ hash, fault }).toEqual({ hash: digestOf(bytes), fault: null });
        expect(squares.parameters).toBeCloseTo(parameters, 6);
        expect(squares.whole - squares.parameters).toBeCloseTo(9, 6);
      }),
      { numRuns: 15 },
    );
  });

  it("goes on in a thread that does not know the first bytes", async () => {
    const { path, bytes } = network;
    const request = { client: "bea", upload: ++uploads, path, length: bytes.length, parts };
    expect((await scanUpload({ ...request, written: bytes.length })).scanned?.hash).toBe(digestOf(bytes));
  });

  it("finds the first fault, and digests the bytes behind it", async () => {
    const { bytes } = await write("spoiled", (weight) => {
      weight[70_000] = Number.NaN;
    });
    expect(await scanIn(bytes, [200_000])).toMatchObject({
      hash: digestOf(bytes),
      fault: 'its numbers must be finite: element 70000 of "a.weight" is NaN',
    });
  });

  it("finds a fault in any bytes that are no update, and digests them", async () => {
    const start = network.bytes.subarray(0, 4000);
    const any = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.tuple(fc.nat(start.length - 1), fc.nat(255)).map(([place, value]) => {
        const bytes = Uint8Array.from(start);
        bytes[place] = value;
        return bytes;
      }),
    );
    await fc.assert(
      fc.asyncProperty(any, fc.nat(60), async (bytes, place) => {
        const { hash, fault } = await scanIn(bytes, [Math.min(place, bytes.length)]);
        expect(hash).toBe(digestOf(bytes));
        expect(fault).not.toBeNull();
      }),
      { numRuns: 60 },
    );
  });
});
