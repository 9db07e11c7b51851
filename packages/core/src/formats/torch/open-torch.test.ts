import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { describeTensors, EXPECTED, fixture } from "../../../test-fixtures/fixtures.ts";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { FormatError, UnsupportedError } from "../../errors.ts";
import { createBytesSource } from "../../io/byte-source.ts";
import { openCheckpoint } from "../../open-checkpoint.ts";
import { toFloat32 } from "../../tensor/convert.ts";
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

/** Places of the entries of the directory of a zip archive. */
function directoryOf(bytes: Buffer): number[] {
  const places: number[] = [];
  for (let at = bytes.indexOf("PK\x01\x02"); at >= 0; at = bytes.indexOf("PK\x01\x02", at + 1))
    places.push(at);
  return places;
}

/** A copy of an archive without checksums, as PyTorch writes it if it is told to compute none. */
function withoutChecksums(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  for (const at of directoryOf(copy)) copy.writeUInt32LE(0, at + 16);
  return copy;
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
    const bytes = patched(withoutChecksums(await readFile(fixture("lone.pt"))), "little", "bigbig");
    await expect(openTorchZip(createBytesSource(bytes))).rejects.toThrow(/byte order must be little-endian/);
  });

  it("a storage that claims more than the archive has", async () => {
    const bytes = withoutChecksums(await readFile(fixture("module.pt")));
    // BININT1 with the number of elements, then the end of the persistent id: 2 becomes 255.
    const claim = patched(bytes, "q\x07K\x06tq\x08Q", "q\x07K\xfftq\x08Q");
    await expect(openTorchZip(createBytesSource(claim))).rejects.toThrow(
      /storage "0" must be a file of 1020 bytes: it has 24/,
    );
  });

  it("bytes that are not those the checksum is of, once all were read in order", async () => {
    const bytes = await readFile(fixture("lone.pt"));
    const intact = await openTorchZip(createBytesSource(bytes));
    const { data } = await intact.read("tensor");
    const stored = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    const damaged = Buffer.from(bytes);
    const last = damaged.indexOf(stored) + stored.length - 1;
    damaged.writeUInt8(damaged.readUInt8(last) ^ 1, last);
    const message = /"lone\/data\/0" must be intact: its bytes do not have the checksum stored with them/;
    const opened = await openTorchZip(createBytesSource(damaged, "lone.pt"));
    await expect(opened.read("tensor")).rejects.toThrow(FormatError);
    await expect(opened.read("tensor")).rejects.toThrow(message);
    // Range by range the damage shows with the last one; in another order it does not.
    for (let i = 0; i < data.length - 1; i++) await opened.readRange("tensor", i, i + 1);
    await expect(opened.readRange("tensor", data.length - 1, data.length)).rejects.toThrow(message);
    await opened.readRange("tensor", data.length - 1, data.length);
    const unchecked = await openTorchZip(createBytesSource(withoutChecksums(damaged)));
    expect((await unchecked.read("tensor")).data).not.toEqual(data);
  });

  it("a pickle that is not the one the checksum is of", async () => {
    const damaged = patched(await readFile(fixture("module.pt")), "weight", "weighs");
    await expect(openTorchZip(createBytesSource(damaged))).rejects.toThrow(/data\.pkl" must be intact/);
  });

  it("two storages in the same bytes", async () => {
    const bytes = Buffer.from(await readFile(fixture("module.pt")));
    const [first, second] = directoryOf(bytes).filter((at) =>
      /data\/\d/.test(bytes.toString("latin1", at + 46, at + 70)),
    );
    bytes.copy(bytes, second! + 42, first! + 42, first! + 46);
    await expect(openTorchZip(createBytesSource(bytes))).rejects.toThrow(
      /must not store two files in the same bytes: "module\/data\/\d" and "module\/data\/\d" are/,
    );
  });

  it("a file that has another name where it is stored", async () => {
    const bytes = withoutChecksums(await readFile(fixture("lone.pt")));
    bytes.write("lone/data/7", bytes.indexOf("lone/data/0"), "latin1");
    const opened = await openTorchZip(createBytesSource(bytes));
    await expect(opened.read("tensor")).rejects.toThrow(
      /must name a file alike in both places: "lone\/data\/0" is "lone\/data\/7" in the other/,
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
      const wrong: unknown[] = [];
      for (let at = 0; at < bytes.length; at++) {
        const damaged = Uint8Array.from(bytes);
        damaged[at] = (damaged[at] ?? 0) ^ 0x55;
        try {
          const checkpoint = await open(createBytesSource(damaged));
          for (const tensor of checkpoint.tensors.keys()) {
            const { byteLength } = (await checkpoint.read(tensor)).data;
            if (byteLength > bytes.length) wrong.push([at, tensor, byteLength]);
          }
        } catch (error) {
          if (!/^(FormatError|UnsupportedError)$/.test((error as Error).name)) wrong.push([at, error]);
        }
      }
      expect(wrong).toEqual([]);
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
