import { InputError, reasonOf, UnsupportedError } from "@isthmus/core";
import { extname, join, readdir, realpath, relative, sep, stat } from "@isthmus/platform";
import type { Split } from "../splits.ts";

/** A picture of a folder, and its class. */
export interface ListedPicture {
  /** Path of the file. */
  readonly path: string;
  /** Index of its class among `classes`. */
  readonly label: number;
}

/** Pictures of a folder, and the names of its classes. */
export interface PictureList {
  /** Pictures in rounds of one of each class, so that the first ones cover all classes. */
  readonly pictures: readonly ListedPicture[];
  /** Names of the classes, which are names of folders. */
  readonly classes: readonly string[];
}

/** Names of the folders of splits, in lower case. */
const FOLDERS: Readonly<Record<Split, readonly string[]>> = {
  train: ["train", "training"],
  test: ["test", "testing"],
  val: ["val", "valid", "validation"],
};

/** Endings of supported pictures, and of others that must not be silently ignored. */
const READ = new Set([".png", ".jpg", ".jpeg"]);
const UNREAD = new Set([".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".avif", ".heic", ".jxl"]);

/** Maximum depth of folders within that of a class, and maximum number of pictures. */
const MOST_LEVELS = 16;
const MOST_PICTURES = 2 ** 24;

/**
 * Finds the folders of splits in a folder of pictures; empty if the folder itself contains classes, as some
 * of its folders have other names.
 * @throws InputError if the folder cannot be read
 */
export async function findPictureSplits(folder: string): Promise<ReadonlyMap<Split, string>> {
  const splits = new Map<Split, string>();
  for (const name of await foldersIn(folder)) {
    const split = (Object.keys(FOLDERS) as Split[]).find((key) => FOLDERS[key].includes(name.toLowerCase()));
    if (split === undefined || splits.has(split)) return new Map();
    splits.set(split, join(folder, name));
  }
  return splits;
}

/**
 * Lists the pictures of a split. Classes are the folders in the order of their names, as by torchvision's
 * `ImageFolder`; pictures are listed in rounds, one of each class per round, so that the first ones cover all
 * classes.
 * @throws InputError if the folder has no such split or no classes, a class is empty, or a link leads out of
 *   the folder
 * @throws UnsupportedError if it contains pictures of unsupported formats
 */
export async function listPictures(folder: string, split: Split): Promise<PictureList> {
  const splits = await findPictureSplits(folder);
  const path = splits.size === 0 ? folder : splits.get(split);
  if (path === undefined) {
    throw new InputError(
      `Cannot find the ${split} set of pictures in "${folder}" as there must be a folder ${FOLDERS[split].join(" or ")}: it has ${[...splits.keys()].join(", ")}; add :${[...splits.keys()].join(" or :")}`,
      { input: folder },
    );
  }
  const classes = await foldersIn(path);
  if (classes.length === 0) throw listError(path, "it must have a folder for each class: it has none");
  const walk: Walk = { root: await realpath(folder), count: 0 };
  const byClass: string[][] = [];
  for (const name of classes) {
    const files = await picturesIn(join(path, name), walk, 0);
    if (files.length === 0)
      throw listError(join(path, name), "a class must have PNG or JPEG files: it has none");
    byClass.push(files);
  }
  return { pictures: inTurns(byClass), classes };
}

function inTurns(byClass: readonly (readonly string[])[]): ListedPicture[] {
  const pictures: ListedPicture[] = [];
  const longest = byClass.reduce((most, { length }) => Math.max(most, length), 0);
  for (let turn = 0; turn < longest; turn++) {
    byClass.forEach((files, label) => {
      const path = files[turn];
      if (path !== undefined) pictures.push({ path, label });
    });
  }
  return pictures;
}

/** Lists the folders in a folder, including links to folders, in the order of their names. */
async function foldersIn(folder: string): Promise<string[]> {
  const entries = await list(folder);
  const names: string[] = [];
  for (const entry of entries) {
    const isFolder = entry.isSymbolicLink()
      ? (await stat(join(folder, entry.name)).catch(() => undefined))?.isDirectory()
      : entry.isDirectory();
    if (isFolder && !entry.name.startsWith(".")) names.push(entry.name);
  }
  return names.sort();
}

/** State of a walk through a folder. */
interface Walk {
  /** Folder of the data set; no path may lead out of it. */
  readonly root: string;
  /** Number of pictures so far. */
  count: number;
}

/** Lists the pictures in a folder and those within it, in the order of their names, files first. */
async function picturesIn(folder: string, walk: Walk, level: number): Promise<string[]> {
  if (level > MOST_LEVELS) throw listError(folder, `folders may be ${MOST_LEVELS} deep: they are deeper`);
  await assertWithin(folder, walk.root);
  const files: string[] = [];
  for (const entry of await list(folder)) {
    const ending = extname(entry.name).toLowerCase();
    if (entry.isDirectory() || entry.name.startsWith(".")) continue;
    if (UNREAD.has(ending)) throw unread(join(folder, entry.name), ending);
    if (!READ.has(ending)) continue;
    if (entry.isSymbolicLink()) await assertWithin(join(folder, entry.name), walk.root);
    if (++walk.count > MOST_PICTURES)
      throw listError(folder, `there may be ${MOST_PICTURES} pictures: there are more`);
    files.push(entry.name);
  }
  const paths = files.sort().map((name) => join(folder, name));
  for (const name of await foldersIn(folder))
    paths.push(...(await picturesIn(join(folder, name), walk, level + 1)));
  return paths;
}

/** Checks that a path is in the folder of the data set after all links are resolved. */
async function assertWithin(path: string, root: string): Promise<void> {
  const target = await realpath(path).catch((cause) => {
    throw listError(path, reasonOf(cause), cause);
  });
  const way = relative(root, target);
  if (way !== ".." && !way.startsWith(`..${sep}`) && way !== target) return;
  throw listError(path, `links must stay within the data set, "${root}": it leads to "${target}"`);
}

async function list(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    throw listError(folder, `it must be a folder of folders of pictures: ${reasonOf(cause)}`, cause);
  }
}

function unread(path: string, ending: string): UnsupportedError {
  return new UnsupportedError(
    `Cannot read picture "${path}" as PNG and JPEG are handled: convert it first, or take it out of the folder`,
    { feature: `pictures in ${ending}` },
  );
}

function listError(path: string, reason: string, cause?: unknown): InputError {
  return new InputError(`Cannot list pictures in "${path}" as ${reason}`, { input: path, cause });
}
