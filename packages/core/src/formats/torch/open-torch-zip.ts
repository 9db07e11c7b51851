import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { UnsupportedError } from "../../errors.ts";
import { entry as entryOf } from "../../invariant.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import { MAX_PICKLE_BYTES } from "../../io/limits.ts";
import { formatErrors } from "../format-errors.ts";
import { assertStored, readZipDirectory, type ZipEntry } from "../zip/zip-directory.ts";
import { type OpenEntry, openEntry, readEntry } from "../zip/zip-entry.ts";
import { collectTensors } from "./collect-tensors.ts";
import { defineTorchCheckpoint, type ReadStorage } from "./define-torch-checkpoint.ts";
import { createGlobalFinder } from "./globals.ts";
import { PickleBudget } from "./pickle/pickle-budget.ts";
import { buildRecord } from "./pickle/pickle-record.ts";
import { type PickleHost, readPickle } from "./pickle/read-pickle.ts";
import { createStorageLoader } from "./storages.ts";
import type { TorchStorage, TorchTensor } from "./tensors.ts";

const formatError = formatErrors("torch");

const PICKLE = "data.pkl";

/** Names of files that occur only in an archive of TorchScript, which contains code to run. */
const SCRIPT = /^(code\/|constants\.pkl$)/;

/** A value that `torch.save` wrote, and access to the storages of its tensors. */
export interface TorchArchive {
  /** The value: tensors, and plain dictionaries, lists and tuples. */
  readonly value: unknown;
  /**
   * Makes the function that reads storages of some tensors.
   * @throws FormatError if a storage is missing, or has another size than its tensors say
   */
  readStorages(tensors: Iterable<TorchTensor>): ReadStorage;
}

/**
 * Opens a file that `torch.save` wrote (PyTorch 1.6 and later): a zip archive of a pickle and its storages.
 *
 * No code in the file is run. The checkpoint owns `source` and closes it; on failure the caller must close
 * it.
 * @param files - paths to report as read
 * @param entries - the directory of the archive, if it was read before
 * @throws FormatError if the file is damaged, or claims more than it has.
 * @throws UnsupportedError if the pickle refers to anything but tensors and containers, or the variant of the
 *   file is not supported.
 */
export async function openTorchZip(
  source: ByteSource,
  files: readonly string[] = [],
  entries?: ReadonlyMap<string, ZipEntry>,
): Promise<Checkpoint> {
  const archive = await readTorchArchive(source, createGlobalFinder(source.name), entries);
  const tensors = collectTensors(archive.value, source.name);
  return defineTorchCheckpoint(source, tensors, files, archive.readStorages(tensors.values()));
}

/**
 * Reads the value in a file that `torch.save` wrote, without its tensors' elements, and without running code.
 * @param find - looks up the names in its pickle
 * @param known - the directory of the archive, if it was read before
 * @throws FormatError if the file is damaged, or claims more than it has.
 * @throws UnsupportedError if `find` does, or the variant of the file is not supported.
 */
export async function readTorchArchive(
  source: ByteSource,
  find: PickleHost["find"],
  known?: ReadonlyMap<string, ZipEntry>,
): Promise<TorchArchive> {
  const entries = known ?? (await readZipDirectory(source));
  const root = findRoot(entries, source);
  await assertLittleEndian(entries.get(`${root}byteorder`), source);
  const pickle = entries.get(root + PICKLE);
  if (pickle !== undefined) assertStored(pickle, source);
  if (pickle === undefined || pickle.size > MAX_PICKLE_BYTES) {
    throw formatError(
      source,
      `its pickle may have at most ${MAX_PICKLE_BYTES} bytes: it has ${pickle?.size}`,
    );
  }
  const storages = new Map<string, TorchStorage>();
  const host = {
    find,
    load: createStorageLoader(source.name, storages),
    build: buildRecord,
    budget: new PickleBudget(source.name),
  };
  const { value } = readPickle(await readEntry(pickle, source), host, source.name);
  return {
    value,
    readStorages(tensors) {
      const places = placeStorages(tensors, entries, root, source);
      return async (key, begin, out) => entryOf(places, key, "storage").readInto(begin, out);
    },
  };
}

/**
 * Returns the folder that contains all files of the archive, with its slash; PyTorch names it after the file.
 */
function findRoot(entries: ReadonlyMap<string, ZipEntry>, source: ByteSource): string {
  const names = [...entries.keys()];
  const roots = names
    .filter((name) => /^([^/]+\/)?data\.pkl$/.test(name))
    .map((name) => name.slice(0, -PICKLE.length));
  const [root] = roots;
  if (root === undefined || roots.length > 1) {
    throw formatError(source, `a zip archive of PyTorch has one ${PICKLE}: this one has ${roots.length}`);
  }
  if (names.some((name) => name.startsWith(root) && SCRIPT.test(name.slice(root.length)))) {
    throw new UnsupportedError(
      `Cannot read "${source.name}" as it must hold weights only: it is TorchScript, with code to run; ` +
        "load it in PyTorch and save model.state_dict()",
      { feature: "TorchScript" },
    );
  }
  return root;
}

async function assertLittleEndian(entry: ZipEntry | undefined, source: ByteSource): Promise<void> {
  // Files from before PyTorch 2.1 do not store the byte order; they were written on little-endian machines.
  if (entry === undefined) return;
  assertStored(entry, source);
  const order = entry.size > 16 ? "unknown" : new TextDecoder().decode(await readEntry(entry, source));
  if (order.trim() === "little") return;
  throw new UnsupportedError(
    `Cannot read "${source.name}" as its byte order must be little-endian: it is ${order.slice(0, 16)}`,
    { feature: "big-endian storages" },
  );
}

/** Opens the file of each used storage, after checking its size. */
function placeStorages(
  tensors: Iterable<TorchTensor>,
  entries: ReadonlyMap<string, ZipEntry>,
  root: string,
  source: ByteSource,
): Map<string, OpenEntry> {
  const places = new Map<string, OpenEntry>();
  for (const { storage } of tensors) {
    if (places.has(storage.key)) continue;
    const entry = entries.get(`${root}data/${storage.key}`);
    if (entry?.size !== storage.bytes) {
      const problem = entry === undefined ? "there is no such file" : `it has ${entry.size}`;
      throw formatError(
        source,
        `storage "${storage.key}" must be a file of ${storage.bytes} bytes: ${problem}`,
      );
    }
    assertStored(entry, source);
    places.set(storage.key, openEntry(entry, source));
  }
  return places;
}
