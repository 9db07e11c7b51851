import { createTensor, decodeNumpyPickle, FormatError, InputError, openFileSource } from "@isthmus/core";
import { join } from "@isthmus/platform";
import { limitTo } from "./assert-reads.ts";
import type { Examples } from "./examples.ts";
import { listFolder } from "./list-folder.ts";
import { readDataFile } from "./read-data-file.ts";
import type { Split } from "./splits.ts";

/** Bytes of an image: red, green and blue, 32 rows of 32 pixels each. */
const IMAGE_BYTES = 3 * 32 * 32;

/** Differences between CIFAR-10 and CIFAR-100. */
export interface CifarLayout {
  /** Name for messages. */
  readonly name: string;
  /** Folders that the archives of the binary and of the Python version are unpacked to. */
  readonly folders: readonly [binary: string, python: string];
  /** Names of the files of each split, without `.bin`. */
  readonly files: Readonly<Record<Exclude<Split, "val">, readonly string[]>>;
  /** Bytes of labels before an image of the binary version. */
  readonly labelBytes: number;
  /** Index of the label among these bytes. */
  readonly labelByte: number;
  /** Name of the labels in the Python version. */
  readonly labelKey: string;
}

/** Selection of examples of CIFAR. */
export interface CifarRequest {
  /** Folder that contains the files, or into which their folder was unpacked. */
  readonly folder: string;
  /** Split to read: the training or the test images. */
  readonly split: Split;
  /** Number of examples to read, from the first; 0 for all. */
  readonly limit: number;
  /** Full name of the data set, for messages. */
  readonly name: string;
}

/** Images and labels of one file, which may be fewer than requested. */
interface CifarPart {
  /** Images, `[n, 3072]`. */
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

/**
 * Reads CIFAR in a published form: the binary version, or else the Python version, whose pickles are read
 * without running code. The binary version is read as far as examples are requested.
 * @throws InputError if a file is missing, or there are fewer examples than requested
 * @throws FormatError if a file is damaged
 */
export async function readCifar(layout: CifarLayout, request: CifarRequest): Promise<Examples> {
  const { files, isBinary } = await findCifarFiles(layout, request);
  const parts: CifarPart[] = [];
  let count = 0;
  const { limit } = request;
  for (const file of files) {
    const most = limit === 0 ? Number.POSITIVE_INFINITY : limit - count;
    if (most === 0) break;
    const part = await (isBinary ? readBinary : readPython)(file, layout, most);
    parts.push(part);
    count += part.labels.length;
  }
  limitTo(limit, count, request.name);
  const images = new Uint8Array(count * IMAGE_BYTES);
  const labels = new Uint8Array(count);
  let index = 0;
  for (const part of parts) {
    images.set(part.images, index * IMAGE_BYTES);
    labels.set(part.labels, index);
    index += part.labels.length;
  }
  return {
    inputs: createTensor("u8", [count, 3, 32, 32], images),
    labels: createTensor("u8", [count], labels),
  };
}

/** Lists the existing files of both splits. @throws InputError if there are no files of either version */
export async function listCifarFiles(layout: CifarLayout, folder: string): Promise<readonly string[]> {
  const { path, present, ending } = await findCifarFolder(layout, folder);
  const names = Object.values(layout.files)
    .flat()
    .map((file) => `${file}${ending}`);
  return names.filter((file) => present.has(file)).map((file) => join(path, file));
}

async function findCifarFiles(
  layout: CifarLayout,
  { folder, split }: CifarRequest,
): Promise<{ readonly files: readonly string[]; readonly isBinary: boolean }> {
  const { path, present, ending } = await findCifarFolder(layout, folder);
  const names = layout.files[split === "train" ? "train" : "test"].map((file) => `${file}${ending}`);
  const missing = names.filter((file) => !present.has(file));
  if (missing.length === 0) return { files: names.map((file) => join(path, file)), isBinary: ending !== "" };
  throw new InputError(
    `Cannot open the ${split} set of ${layout.name} in "${path}" as ${names.join(", ")} must be there: ${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} not`,
    { input: path },
  );
}

/**
 * Finds the folder that contains files of either version: the named folder, or a folder that was unpacked
 * into it.
 */
async function findCifarFolder(
  { name, folders, files }: CifarLayout,
  folder: string,
): Promise<{ readonly path: string; readonly present: ReadonlySet<string>; readonly ending: string }> {
  const inside = await listFolder(folder, `a folder of ${name}`);
  const paths = [
    folder,
    ...folders.filter((path) => inside.includes(path)).map((path) => join(folder, path)),
  ];
  const firsts = Object.values(files).map(([file = ""]) => file);
  for (const path of paths) {
    const present = new Set(path === folder ? inside : await listFolder(path, `a folder of ${name}`));
    const ending = [".bin", ""].find((end) => firsts.some((file) => present.has(`${file}${end}`)));
    if (ending !== undefined) return { path, present, ending };
  }
  throw new InputError(
    `Cannot find ${name} in folder "${folder}" as ${firsts.map((file) => `${file}.bin`).join(" or ")} of the binary version, or the same without .bin of the Python version, must be there or in ${folders.join(" or ")}: it has ${inside.slice(0, 10).join(", ") || "nothing"}`,
    { input: folder },
  );
}

async function readBinary(file: string, layout: CifarLayout, most: number): Promise<CifarPart> {
  const rowBytes = layout.labelBytes + IMAGE_BYTES;
  const source = await openFileSource(file);
  try {
    if (source.size === 0 || source.size % rowBytes !== 0) {
      throw cifarError(
        file,
        layout,
        `a file of the binary version must have ${rowBytes} bytes for each image: it has ${source.size}`,
      );
    }
    const count = Math.min(most, source.size / rowBytes);
    const images = new Uint8Array(count * IMAGE_BYTES);
    const labels = new Uint8Array(count);
    for (let begin = 0; begin < count; begin += CHUNK) {
      const end = Math.min(count, begin + CHUNK);
      const rows = await source.read(begin * rowBytes, end * rowBytes);
      for (let i = begin; i < end; i++) {
        const row = rows.subarray((i - begin) * rowBytes, (i - begin + 1) * rowBytes);
        labels[i] = row[layout.labelByte] as number;
        images.set(row.subarray(layout.labelBytes), i * IMAGE_BYTES);
      }
    }
    return { images, labels };
  } finally {
    await source.close();
  }
}

/** Number of images that are read at once. */
const CHUNK = 1000;

async function readPython(file: string, layout: CifarLayout, most: number): Promise<CifarPart> {
  const stored = decodeNumpyPickle(await readDataFile(file), file);
  const [data, labels] = [stored.get("data"), stored.get(layout.labelKey)];
  const rows = data !== undefined && typeof data === "object" && "data" in data ? data : undefined;
  if (rows === undefined || rows.shape.length !== 2 || rows.shape[1] !== IMAGE_BYTES) {
    throw cifarError(
      file,
      layout,
      `"data" must be bytes [n, ${IMAGE_BYTES}]: it is [${rows?.shape.join(", ") ?? "missing"}]`,
    );
  }
  const [count = 0] = rows.shape;
  if (!Array.isArray(labels) || labels.length !== count || !labels.every(isByte)) {
    throw cifarError(file, layout, `"${layout.labelKey}" must be a list of ${count} classes: it is not`);
  }
  const size = Math.min(most, count);
  return {
    images: rows.data.subarray(0, size * IMAGE_BYTES),
    labels: Uint8Array.from(labels.slice(0, size)),
  };
}

const isByte = (label: unknown): label is number =>
  typeof label === "number" && Number.isInteger(label) && 0 <= label && label < 256;

function cifarError(file: string, { name }: CifarLayout, reason: string): FormatError {
  return new FormatError(`Cannot read "${file}" as ${reason}; is it a file of ${name}?`, { format: "cifar" });
}
