import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { describeTensors, EXPECTED, fixture } from "../../../test-fixtures/fixtures.ts";
import {
  type Checkpoint,
  createBytesSource,
  FormatError,
  openCheckpoint,
  toFloat32,
  UnsupportedError,
} from "../../index.ts";
import { openTorchLegacy } from "./open-torch-legacy.ts";
import { openTorchZip } from "./open-torch-zip.ts";

const FILES = Object.keys(EXPECTED).filter((name) => name.endsWith(".pt"));

async function withOpen<T>(name: string, use: (checkpoint: Checkpoint) => Promise<T>): Promise<T> {
  const checkpoint = await openCheckpoint(fixture(name));
  try {
    return await use(checkpoint);
  } finally {
    await checkpoint.close();
  }
}

/** A copy of `bytes` in which each occurrence of `from`, as Latin-1 text, is replaced by `to` of the same length. */
function patched(bytes: Buffer, from: string, to: string): Buffer {
  expect(to.length).toBe(from.length);
  expect(bytes.includes(Buffer.from(from, "latin1"))).toBe(true);
  return Buffer.from(bytes.toString("latin1").replaceAll(from, to), "latin1");
}

describe("openTorchZip() and openTorchLegacy()", () => {
  it.each(FILES)("read %s as PyTorch does", async (name) => {
    await withOpen(name, async (checkpoint) => {
      expect(await describeTensors(checkpoint)).toEqual(EXPECTED[name]?.tensors);
      expect(checkpoint.files).toEqual([fixture(name)]);
    });
  });

  it.each(FILES)("read every range of the tensors of %s", async (name) => {
    await withOpen(name, async (checkpoint) => {
      for (const tensor of checkpoint.tensors.keys()) {
        const { data } = await checkpoint.read(tensor);
        for (let begin = 0; begin <= data.length; begin++) {
          const end = Math.min(begin + 3, data.length);
          expect(await checkpoint.readRange(tensor, begin, end)).toEqual(data.slice(begin, end));
        }
      }
    });
  });

  it("reads strided tensors when ranges of two are asked for in turn", async () => {
    await withOpen("strided.pt", async (checkpoint) => {
      const [a, b] = await Promise.all([
        checkpoint.readRange("transposed", 1, 3),
        checkpoint.readRange("columns", 0, 2),
      ]);
      expect([toFloat32(a, "f32"), toFloat32(b, "f32")]).toEqual([
        Float32Array.of(6, 12),
        Float32Array.of(1, 2),
      ]);
    });
  });
});

describe("openTorchZip() refuses", () => {
  it.each([
    ["harmful-system.pt", /(posix|nt)\.system/],
    ["harmful-eval-legacy.pt", /(builtins|__builtin__)\.eval/],
    ["whole-module.pt", /__main__\.Net/],
    ["numpy-scalar.pt", /numpy\.\S*scalar/],
    ["complex.pt", /ComplexFloatStorage/],
  ])("%s, naming what it does not run", async (name, global) => {
    const opening = openCheckpoint(fixture(name));
    await expect(opening).rejects.toThrow(UnsupportedError);
    await expect(opening).rejects.toThrow(global);
    expect(existsSync("/tmp/isthmus-was-here")).toBe(false);
  });

  it("a zip bomb", async () => {
    const opening = openCheckpoint(fixture("bomb.pt"));
    await expect(opening).rejects.toThrow(UnsupportedError);
    await expect(opening).rejects.toThrow(/"bomb\/data\.pkl" \(20000000 bytes\) is compressed or encrypted/);
  });

  it("TorchScript, and a file without tensors", async () => {
    await expect(openCheckpoint(fixture("script.pt"))).rejects.toThrow(/it is TorchScript/);
    await expect(openCheckpoint(fixture("no-tensors.pt"))).rejects.toThrow(/must be tensors/);
  });

  it("a file of a big-endian machine", async () => {
    const bytes = patched(await readFile(fixture("lone.pt")), "little", "bigbig");
    await expect(openTorchZip(createBytesSource(bytes))).rejects.toThrow(/byte order must be little-endian/);
  });

  it("a storage that claims more than the archive has", async () => {
    const bytes = await readFile(fixture("module.pt"));
    // BININT1 with the number of elements, then the end of the persistent id: 2 becomes 255.
    const claim = patched(bytes, "q\x07K\x06tq\x08Q", "q\x07K\xfftq\x08Q");
    await expect(openTorchZip(createBytesSource(claim))).rejects.toThrow(
      /storage "0" must be a file of 1020 bytes: it has 24/,
    );
  });

  it("every truncated file, with a FormatError", async () => {
    for (const [name, open] of [
      ["types-protocol2.pt", openTorchZip],
      ["training-protocol4.pt", openTorchZip],
      ["types-legacy.pt", openTorchLegacy],
    ] as const) {
      const bytes = await readFile(fixture(name));
      for (let length = 0; length < bytes.length; length += 97) {
        await expect(open(createBytesSource(bytes.subarray(0, length)))).rejects.toThrow(FormatError);
      }
    }
  });

  it("every damaged byte, or else reads no more than the file has", async () => {
    for (const [name, open] of [
      ["nested.pt", openTorchZip],
      ["strided-legacy.pt", openTorchLegacy],
    ] as const) {
      const bytes = await readFile(fixture(name));
      for (let at = 0; at < bytes.length; at++) {
        const damaged = Uint8Array.from(bytes);
        damaged[at] = (damaged[at] ?? 0) ^ 0x55;
        try {
          const checkpoint = await open(createBytesSource(damaged));
          for (const tensor of checkpoint.tensors.keys()) {
            expect((await checkpoint.read(tensor)).data.byteLength).toBeLessThanOrEqual(bytes.length);
          }
        } catch (error) {
          expect([at, (error as Error).name]).toEqual([
            at,
            expect.stringMatching(/^(FormatError|UnsupportedError)$/),
          ]);
        }
      }
    }
  });

  it("an old file whose storages are not those of its tensors", async () => {
    const bytes = await readFile(fixture("strided-legacy.pt"));
    // The number of elements before the first storage.
    const count = bytes.indexOf(Buffer.from([24, 0, 0, 0, 0, 0, 0, 0]));
    expect(count).toBeGreaterThan(0);
    bytes[count] = 23;
    await expect(openTorchLegacy(createBytesSource(bytes))).rejects.toThrow(
      /must have 24 elements: it has 23/,
    );
  });
});
