import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createBytesSource, FormatError, InputError, openFileSource } from "../index.ts";

const SIZE = 300_000;
const content = Uint8Array.from({ length: SIZE }, (_, i) => (i * 31) % 251);

let folder: string;
let path: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isthmus-source-"));
  path = join(folder, "content");
  await writeFile(path, content);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("openFileSource() and createBytesSource()", () => {
  it("read the same bytes, in small and large pieces, at once", async () => {
    const sources = [await openFileSource(path), createBytesSource(content, "bytes")];
    for (const source of sources) {
      expect(source.size).toBe(SIZE);
      const ranges = [
        [0, 0],
        [0, 8],
        [131_071, 131_074],
        [5, 131_077],
        [5, 131_078],
        [0, SIZE],
        [SIZE, SIZE],
      ] as const;
      const reads = await Promise.all(ranges.map(([begin, end]) => source.read(begin, end)));
      reads.forEach((bytes, i) => {
        expect(Buffer.compare(bytes, content.slice(...ranges[i]!))).toBe(0);
      });
      const out = new Uint8Array(10);
      await source.readInto(7, out.subarray(2, 6));
      expect([...out]).toEqual([0, 0, ...content.slice(7, 11), 0, 0, 0, 0]);
      await source.close();
    }
  });

  it("refuse ranges that are not within", async () => {
    const file = await openFileSource(path);
    for (const source of [file, createBytesSource(content)]) {
      for (const [begin, end] of [
        [-1, 2],
        [2, 1],
        [0, SIZE + 1],
        [0.5, 2],
        [Number.NaN, 2],
      ] as const) {
        await expect(source.read(begin, end)).rejects.toThrow(FormatError);
      }
      await expect(source.readInto(SIZE - 1, new Uint8Array(2))).rejects.toThrow(FormatError);
    }
    await file.close();
  });

  it("give each reader memory of its own", async () => {
    const source = createBytesSource(Uint8Array.of(1, 2));
    const bytes = await source.read(0, 2);
    bytes[0] = 9;
    expect(await source.read(0, 2)).toEqual(Uint8Array.of(1, 2));
  });
});

describe("openFileSource()", () => {
  it("refuses what is not a file, without waiting for a pipe", async () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    await expect(openFileSource(pipe)).rejects.toThrow(
      /must be a regular file: it is a device, pipe or socket/,
    );
    await expect(openFileSource(folder)).rejects.toThrow(/it is a folder/);
    await expect(openFileSource(join(path, "below"))).rejects.toThrow(/must be a folder: one is a file/);
    await expect(openFileSource(join(folder, "missing"))).rejects.toThrow(InputError);
  });

  it("says that a file was closed", async () => {
    const source = await openFileSource(path);
    await source.close();
    await expect(source.read(0, 10)).rejects.toThrow(InputError);
    await expect(source.read(0, SIZE)).rejects.toThrow(InputError);
  });
});
