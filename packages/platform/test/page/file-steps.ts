import fc from "fast-check";
import type * as node from "../../src/index.ts";

/** Either side of the platform. */
export type Side = typeof node;

/** Paths below a folder. */
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

/** A step: what is attempted, with a path and perhaps another. */
export type FileStep = readonly [name: string, path: string, other: string];

/** Any steps, one after the other. */
export const fileSteps: fc.Arbitrary<FileStep[]> = fc.array(
  fc.tuple(fc.constantFrom(...Object.keys(ATTEMPTS)), fc.constantFrom(...PATHS), fc.constantFrom(...PATHS)),
  { minLength: 1, maxLength: 40 },
);

/** Makes a folder, takes steps in it, and returns what each gave: a value, or the code of its error. */
export async function takeSteps(
  side: Side,
  base: string,
  steps: readonly FileStep[],
): Promise<readonly unknown[]> {
  await side.mkdir(base);
  const outcomes: unknown[] = [];
  for (const step of steps) {
    const [name, path, other] = step;
    const outcome = await ATTEMPTS[name]?.(side, side.join(base, path), side.join(base, other)).catch(
      (error: NodeJS.ErrnoException) => error.code ?? String(error),
    );
    outcomes.push([...step, outcome ?? "done"]);
  }
  return outcomes;
}
