import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as node from "../index.ts";
import * as web from "./index.ts";

type Side = typeof node;

const PATHS = ["a", "b", "a/c", "a/d", "b/c", "a/c/e", "b/c/e/f"];

/** Attempts on files by what they are called, each of one path or two. */
const ATTEMPTS: Readonly<Record<string, (side: Side, path: string, other: string) => Promise<unknown>>> = {
  access: (side, path) => side.access(path),
  append: (side, path) => side.appendFile(path, "more"),
  create: async (side, path) => (await side.open(path, "wx")).close(),
  folder: (side, path) => side.mkdir(path),
  folders: async (side, path) => {
    await side.mkdir(path, { recursive: true });
  },
  list: async (side, path) => (await side.readdir(path)).sort(),
  "list kinds": async (side, path) =>
    (await side.readdir(path, { withFileTypes: true }))
      .map((entry) => `${entry.name} ${entry.isFile()} ${entry.isDirectory()}`)
      .sort(),
  "make empty": (side, path) => side.writeFile(path, ""),
  read: (side, path) => side.readFile(path, "utf8"),
  remove: (side, path) => side.rm(path, { recursive: true }),
  "remove if there": (side, path) => side.rm(path, { recursive: true, force: true }),
  "remove file": (side, path) => side.unlink(path),
  "remove folder": (side, path) => side.rmdir(path),
  rename: async (side, path, other) => {
    // Folders are given no other path here.
    if ((await side.stat(path)).isFile()) await side.rename(path, other);
  },
  stat: async (side, path) => {
    const stats = await side.stat(path);
    return [stats.isFile(), stats.isDirectory(), stats.isFile() ? stats.size : 0];
  },
  there: async (side, path) => side.existsSync(path),
  truncate: async (side, path) => {
    const file = await side.open(path, "r+");
    await file.truncate(6);
    await file.close();
  },
  write: (side, path) => side.writeFile(path, "some words"),
  "write in the middle": async (side, path) => {
    const file = await side.open(path, "r+");
    const { bytesWritten } = await file.write(side.encodeUtf8("word"), 1, 3, 20);
    const out = new Uint8Array(8);
    const { bytesRead } = await file.read(out, 2, 4, 18);
    await file.sync();
    await file.close();
    return [bytesWritten, bytesRead, ...out, file.fd];
  },
};

const steps = fc.array(
  fc.tuple(fc.constantFrom(...Object.keys(ATTEMPTS)), fc.constantFrom(...PATHS), fc.constantFrom(...PATHS)),
  { minLength: 1, maxLength: 40 },
);

let count = 0;

describe("files of a page", () => {
  it.runIf(process.platform === "linux")(
    "do what those of Node.js do, and fail with the same codes",
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "isthmus-files-"));
      const attempt = async (
        side: Side,
        base: string,
        [name, path, other]: readonly [string, string, string],
      ) => {
        try {
          return await ATTEMPTS[name]?.(side, side.join(base, path), side.join(base, other));
        } catch (error) {
          return (error as NodeJS.ErrnoException).code;
        }
      };
      await fc.assert(
        fc.asyncProperty(steps, async (list) => {
          const name = String(count++);
          await node.mkdir(join(folder, name));
          await web.mkdir(`/${name}`);
          for (const step of list)
            expect([step, await attempt(web, `/${name}`, step)]).toEqual([
              step,
              await attempt(node, join(folder, name), step),
            ]);
        }),
        { numRuns: 150 },
      );
      rmSync(folder, { recursive: true });
    },
  );

  it("are read at once where they are in memory, and known by their descriptors", async () => {
    await web.writeFile("/at-once", "0123456789");
    expect(web.decodeUtf8(web.readFileSync("/at-once"))).toBe("0123456789");
    const descriptor = web.openSync("/x/../at-once", "r");
    expect(web.pathOfDescriptor(descriptor)).toBe("/at-once");
    expect(web.fstatSync(descriptor).ino).toBe(web.lstatSync("at-once").ino);
    web.closeSync(descriptor);
    expect(() => web.fstatSync(descriptor)).toThrow(/^EBADF/);
    expect(() => web.realpathSync("/nothing")).toThrow(/^ENOENT/);
  });

  it("that only Node.js has are refused, and say so", () => {
    expect(() => web.spawn("ls")).toThrow(/^Cannot use child processes as the program must run in Node.js/);
    expect(() => new web.Worker("x")).toThrow(/^Cannot use threads/);
    expect(() => web.createRequire("file:///x")).toThrow(/^Cannot use installed packages/);
  });
});
