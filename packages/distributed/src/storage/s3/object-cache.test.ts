import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { at } from "@isthmus/core";
import { afterEach, describe, expect, it, vi } from "vitest";
import { inFreshFolders } from "../../../../../test/helpers/fresh-folder.ts";
import { createObjectCache, type ObjectCache } from "./object-cache.ts";
import type { DescribedObject, S3Objects } from "./s3-objects.ts";
import { createCacheLimit } from "./trim-cache.ts";
import { sweepUsed } from "./used-files.ts";

const SIZE = 1000;
const HOUR = 3600;

let root: string;
let downloads: string[];
const caches: ObjectCache[] = [];

/** Bytes of an object, by its name. */
const bytesOf = (key: string): Buffer => Buffer.alloc(SIZE, key);
const digestOf = (key: string): string => createHash("sha256").update(bytesOf(key)).digest("hex");
const objects = {
  name: "s3://fake",
  read: async ({ key }: DescribedObject, begin: number, end: number) => {
    downloads.push(key);
    return bytesOf(key).subarray(begin, end);
  },
} as Partial<S3Objects> as S3Objects;

/** Opens the cache as another process would. */
function openCache(bytes?: number): ObjectCache {
  const cache = createObjectCache(objects, { root, bytes });
  caches.push(cache);
  return cache;
}

function open(cache: ObjectCache, key: string, user: object): Promise<string> {
  const object = { key, size: SIZE, etag: "1", written: 0, metadata: {} };
  return cache.openDigest({ digest: digestOf(key), name: "a.bin", find: async () => object }, user);
}

const folderOf = (key: string): string => join(root, "files", digestOf(key));
const isKept = (key: string): boolean => existsSync(join(folderOf(key), "a.bin"));

/** Makes a copy look as if nobody had asked for it for so many hours. */
function age(key: string, hours: number): void {
  const time = Date.now() / 1000 - hours * HOUR;
  utimesSync(folderOf(key), time, time);
}

/** Makes a copy look unused, and its folder left behind, unless another process has just removed it. */
function ageIfThere(key: string): void {
  try {
    age(key, 2);
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe("ENOENT");
  }
}

inFreshFolders((path) => {
  root = path;
  downloads = [];
});
afterEach(async () => {
  for (const cache of caches.splice(0)) await cache.close();
});

describe("createObjectCache()", () => {
  it("createObjectCache() removes the copies that were not used for longest, and keeps all without a limit", async () => {
    const [cache, endless, user] = [openCache(3.5 * SIZE), openCache(), {}];
    for (const key of ["a", "b", "c"]) await open(cache, key, user);
    await cache.release(user);
    for (const [key, hours] of [
      ["a", 3],
      ["b", 1],
      ["c", 2],
    ] as const)
      age(key, hours);
    await open(cache, "a", user);
    await open(endless, "d", user);
    expect(["a", "b", "c", "d"].map(isKept)).toEqual([true, true, true, true]);
    await open(cache, "e", user);
    await cache.release(user);
    expect(["a", "b", "c", "d", "e"].map(isKept)).toEqual([true, false, false, true, true]);
    expect(readFileSync(await open(cache, "b", user))).toEqual(bytesOf("b"));
    expect(downloads).toEqual(["a", "b", "c", "d", "e", "b"]);
  });

  it("createObjectCache() never removes what a task reads, also of another process", async () => {
    const [cache, other, user, task] = [openCache(SIZE / 2), openCache(), {}, {}];
    const read = await open(other, "a", task);
    age("a", 3);
    await open(cache, "b", user);
    expect(["a", "b"].map(isKept)).toEqual([true, true]);
    // Not even if somebody removes the copy all the same.
    rmSync(folderOf("a"), { recursive: true });
    expect(readFileSync(read)).toEqual(bytesOf("a"));
    expect(await open(other, "a", task)).toBe(read);
    await other.release(task);
    expect(existsSync(read)).toBe(false);
    age("a", 3);
    await vi.waitFor(() => expect(isKept("a")).toBe(false), { timeout: 20_000 });
    expect(isKept("b")).toBe(true);
    age("b", 3);
    await cache.close();
    expect(isKept("b")).toBe(false);
  });

  it("createObjectCache() keeps a file as long as one of its users has not released it", async () => {
    const [cache, first, second] = [openCache(), {}, {}];
    const path = await open(cache, "a", first);
    expect(await open(cache, "a", second)).toBe(path);
    await cache.release(first);
    expect(readFileSync(path)).toEqual(bytesOf("a"));
    await Promise.all([cache.release(second), open(cache, "a", first)]);
    expect(readFileSync(path)).toEqual(bytesOf("a"));
    await cache.close();
    expect(readdirSync(join(root, "used"))).toEqual([]);
  });

  it("createObjectCache() gives every reader its bytes while several processes remove copies", async () => {
    const keys = ["a", "b", "c", "d", "e"];
    let isOver = false;
    const removing = (async () => {
      for (let round = 0; !isOver; round++) {
        // Not all at once: a copy that is removed as often as it is brought is given up after some tries.
        ageIfThere(at(keys, round % keys.length, "key"));
        await createCacheLimit(root, SIZE / 2).close();
      }
    })();
    const read = async (cache: ObjectCache, offset: number): Promise<void> => {
      for (let step = 0; step < 100; step++) {
        const user = {};
        const key = at(keys, (step * (offset + 1) + offset) % keys.length, "key");
        const path = await open(cache, key, user);
        expect(readFileSync(path).equals(bytesOf(key))).toBe(true);
        await cache.release(user);
      }
    };
    const reading = [0, 1, 2].map((offset) => read(openCache(SIZE / 2), offset));
    await Promise.all(reading).finally(() => {
      isOver = true;
    });
    await removing;
    expect(downloads.length).toBeGreaterThan(2 * keys.length);
  });

  it("createObjectCache() brings a copy of its own where others remove it as often as it is brought", async () => {
    const [cache, user] = [openCache(), {}];
    // The copy is gone before it can be used, each time, until it is brought to another place.
    const object = { key: "a", size: SIZE, etag: "1", written: 0, metadata: {} };
    const removing = setInterval(() => rmSync(folderOf("a"), { recursive: true, force: true }), 0);
    const find = async () => object;
    try {
      for (let round = 0; round < 20; round++) {
        const path = await cache.openDigest({ digest: digestOf("a"), name: "a.bin", find }, user);
        expect(readFileSync(path).equals(bytesOf("a"))).toBe(true);
        await cache.release(user);
      }
    } finally {
      clearInterval(removing);
    }
    await cache.close();
    expect(readdirSync(join(root, "used"))).toEqual([]);
  });

  it("createObjectCache() leaves files that are being written, and whatever else lies there", async () => {
    const cache = openCache(1);
    const entry = folderOf("a");
    mkdirSync(entry, { recursive: true });
    const [written, left] = [".a.bin.1-1-0.tmp", ".a.bin.2-1-0.tmp"].map((name) => join(entry, name));
    writeFileSync(written!, bytesOf("a"));
    mkdirSync(join(root, "files", ".attempts"), { recursive: true });
    writeFileSync(join(root, "files", ".attempts", "x"), bytesOf("x"));
    age("a", 3);
    await open(cache, "b", {});
    expect(existsSync(written!)).toBe(true);
    rmSync(written!);
    writeFileSync(left!, bytesOf("a"));
    const time = Date.now() / 1000 - 3 * HOUR;
    utimesSync(left!, time, time);
    age("a", 3);
    await vi.waitFor(() => expect(existsSync(left!)).toBe(false), { timeout: 20_000 });
    expect(existsSync(join(root, "files", ".attempts", "x"))).toBe(true);
  });
});

describe("sweepUsed()", () => {
  it("sweepUsed() removes what killed processes used, but nothing of those that may live", async () => {
    const names = [`${hostname()}~99999999~dead`, `${hostname()}~${process.pid}~here`, "elsewhere~1~new"];
    const time = Date.now() / 1000 - 2 * HOUR;
    for (const [index, name] of names.entries()) {
      mkdirSync(join(root, "used", name), { recursive: true });
      if (index < 2) utimesSync(join(root, "used", name), time, time);
    }
    await sweepUsed(root);
    expect(readdirSync(join(root, "used")).sort()).toEqual(names.slice(1).sort());
    expect(statSync(root).isDirectory()).toBe(true);
  });
});
