import { execFileSync } from "node:child_process";
import { mkdtemp, rename, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FormatError, InputError } from "../errors.ts";
import { createBytesSource } from "./byte-source.ts";
import { openFileSource, readFileRangeSync } from "./file-source.ts";
import { readFileBytes, readJsonFile, readTextFile } from "./read-file.ts";

const SIZE = 300_000;
const content = Uint8Array.from({ length: SIZE }, (_, i) => (i * 31) % 251);

let folder: string;
let path: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isthmus-source-"));
  path = join(folder, "content");
  await writeFile(path, content);
  execFileSync("mkfifo", [join(folder, "pipe")]);
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
    await expect(source.read(0, 10)).rejects.toThrow(/must be open: it was closed before/);
    await expect(source.read(0, SIZE)).rejects.toThrow(InputError);
  });

  it("refuses a file that is written to after it was opened", async () => {
    const changing = join(folder, "changing");
    for (const length of [10, SIZE]) {
      await writeFile(changing, content);
      await utimes(changing, 1, 1);
      const source = await openFileSource(changing);
      expect(await source.read(0, length)).toEqual(content.slice(0, length));
      await writeFile(changing, content);
      await expect(source.read(0, length)).rejects.toThrow(InputError);
      await expect(source.read(0, length)).rejects.toThrow(/it was written to since it was opened/);
      await source.close();
    }
  });

  it("goes on with a file that another one replaces under its name", async () => {
    const old = join(folder, "old");
    await writeFile(old, content);
    const source = await openFileSource(old);
    await writeFile(join(folder, "new"), "short");
    await rename(join(folder, "new"), old);
    expect(await source.read(0, SIZE)).toEqual(content);
    await rm(old);
    expect(await source.read(0, SIZE)).toEqual(content);
    await source.close();
  });
});

describe("readFileRangeSync()", () => {
  it("reads what openFileSource() reads, and refuses the same", async () => {
    expect(readFileRangeSync(path, 7, 300)).toEqual(content.slice(7, 307));
    expect(readFileRangeSync(path, 0, SIZE)).toEqual(content);
    expect(() => readFileRangeSync(path, 1, SIZE)).toThrow(FormatError);
    expect(() => readFileRangeSync(path, 0, 2 ** 50)).toThrow(/must be within it: it has 300000 bytes/);
    expect(() => readFileRangeSync(join(folder, "pipe"), 0, 0)).toThrow(/it is a device, pipe or socket/);
    expect(() => readFileRangeSync(folder, 0, 0)).toThrow(/it is a folder/);
    expect(() => readFileRangeSync(join(folder, "missing"), 0, 0)).toThrow(InputError);
  });
});

describe("readFileBytes(), readTextFile() and readJsonFile()", () => {
  it("read whole files", async () => {
    expect(await readFileBytes(path, SIZE)).toEqual(content);
    const text = join(folder, "text");
    await writeFile(text, '\ufeff["ä"]');
    expect(await readTextFile(text)).toBe('["ä"]');
    expect(await readJsonFile(text)).toEqual(["ä"]);
  });

  it("refuse what is too long, no text or no JSON", async () => {
    await expect(readFileBytes(path, SIZE - 1)).rejects.toThrow(
      "may have at most 299999 bytes: it has 300000",
    );
    await expect(readTextFile(path)).rejects.toThrow(/must be text in UTF-8/);
    await expect(readJsonFile(path)).rejects.toThrow(/must be JSON/);
    const sparse = join(folder, "sparse");
    await writeFile(sparse, "");
    await truncate(sparse, 2 ** 40);
    await expect(readTextFile(sparse)).rejects.toThrow(FormatError);
    await expect(readJsonFile(sparse)).rejects.toThrow(FormatError);
  });

  it("refuse what is not a file", async () => {
    for (const read of [readTextFile, readJsonFile]) {
      await expect(read(join(folder, "pipe"))).rejects.toThrow(/it is a device, pipe or socket/);
      await expect(read("/dev/zero")).rejects.toThrow(InputError);
      await expect(read(folder)).rejects.toThrow(/it is a folder/);
      await expect(read(join(folder, "missing"))).rejects.toThrow(/it must exist/);
    }
  });
});
