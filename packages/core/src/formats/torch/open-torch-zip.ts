import * as zlib from "node:zlib";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { FormatError, UnsupportedError } from "../../errors.ts";
import { entry as entryOf } from "../../invariant.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import { MAX_PICKLE_BYTES } from "../../io/limits.ts";
import { assertStored, readZipDirectory, type ZipEntry } from "../zip/zip-directory.ts";
import { collectTensors } from "./collect-tensors.ts";
import { defineTorchCheckpoint } from "./define-torch-checkpoint.ts";
import { createGlobalFinder } from "./globals.ts";
import { PickleBudget } from "./pickle/pickle-budget.ts";
import { readPickle } from "./pickle/read-pickle.ts";
import { createStorageLoader } from "./storages.ts";
import type { TorchStorage, TorchTensor } from "./tensors.ts";

const PICKLE = "data.pkl";

/** Names of files that only an archive of TorchScript has, which holds code to be run. */
const SCRIPT = /^(code\/|constants\.pkl$)/;

/**
 * Opens a file that `torch.save` wrote (PyTorch 1.6 and later): a zip archive of a pickle and its storages.
 *
 * Nothing in it is run. The checkpoint owns `source` and closes it; on failure the caller must close it.
 * @param files - paths to report as read
 * @throws FormatError if the file is damaged, or claims more than it has.
 * @throws UnsupportedError if the pickle names anything but
 * tensors and containers, or the file is not handled.
 */
export async function openTorchZip(source: ByteSource, files: readonly string[] = []): Promise<Checkpoint> {
  const entries = await readZipDirectory(source);
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
    find: createGlobalFinder(source.name),
    load: createStorageLoader(source.name, storages),
    budget: new PickleBudget(source.name),
  };
  const { value } = readPickle(await readEntry(pickle, source), host, source.name);
  const tensors = collectTensors(value, source.name);
  const places = placeStorages(tensors, entries, root, source);
  return defineTorchCheckpoint(source, tensors, files, async (key, begin, out) => {
    await entryOf(places, key, "storage").readInto(begin, out);
  });
}

/**
 * Returns the folder that all files of the archive are in, with its slash; PyTorch names it after the file.
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
  // Files from before PyTorch 2.1 do not store it; they were written on little-endian machines.
  if (entry === undefined) return;
  assertStored(entry, source);
  const order = entry.size > 16 ? "unknown" : new TextDecoder().decode(await readEntry(entry, source));
  if (order.trim() === "little") return;
  throw new UnsupportedError(
    `Cannot read "${source.name}" as its byte order must be little-endian: it is ${order.slice(0, 16)}`,
    { feature: "big-endian storages" },
  );
}

async function readEntry(entry: ZipEntry, source: ByteSource): Promise<Uint8Array> {
  const out = new Uint8Array(entry.size);
  await openEntry(entry, source).readInto(0, out);
  return out;
}

/** Access to the bytes of one file of the archive. */
interface OpenEntry {
  /**
   * Fills `out` with bytes from `begin` on.
   * @throws FormatError if all bytes were read in order and do not match the checksum stored with them
   */
  readInto(begin: number, out: Uint8Array): Promise<void>;
}

/** Opens a file of the archive; the place of its bytes is looked up when it is first read. */
function openEntry(entry: ZipEntry, source: ByteSource): OpenEntry {
  const checksum = new RunningChecksum(entry.size, entry.crc32);
  let place: Promise<number> | undefined;
  return {
    async readInto(begin, out) {
      place ??= entry.locate();
      await source.readInto((await place) + begin, out);
      if (checksum.update(begin, out)) return;
      throw formatError(
        source,
        `"${entry.name}" must be intact: its bytes do not have the checksum stored with them; copy or download the file again`,
      );
    },
  };
}

/** Opens the file of each storage that is used, after checking its size. */
function placeStorages(
  tensors: ReadonlyMap<string, TorchTensor>,
  entries: ReadonlyMap<string, ZipEntry>,
  root: string,
  source: ByteSource,
): Map<string, OpenEntry> {
  const places = new Map<string, OpenEntry>();
  for (const { storage } of tensors.values()) {
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

function formatError(source: ByteSource, problem: string): FormatError {
  return new FormatError(`Cannot read "${source.name}" as ${problem}`, { format: "torch" });
}

/** Absent before Node 20.15, where damage that does not change the length goes unnoticed. */
const { crc32 } = zlib as { crc32?: (data: Uint8Array, value?: number) => number };

/**
 * Checksum of the bytes read from one file of an archive, compared with the stored CRC-32 once they were read
 * from the first to the last in order; reads in another order are not checked. It costs 0.15 s for each
 * gigabyte, measured.
 */
class RunningChecksum {
  readonly #size: number;
  readonly #expected: number;
  #position = 0;
  #value = 0;

  /**
   * @param size - bytes of the file
   * @param expected - its CRC-32; 0 if the writer computed none, which is an option of PyTorch
   */
  constructor(size: number, expected: number) {
    this.#size = size;
    this.#expected = expected;
  }

  /**
   * Adds bytes that were read.
   * @param begin - place of the first of them in the file
   * @returns false if the whole file was read now and does not match the checksum
   */
  update(begin: number, bytes: Uint8Array): boolean {
    if (crc32 === undefined || this.#expected === 0) return true;
    if (begin === 0) [this.#position, this.#value] = [0, 0];
    if (begin !== this.#position) return true;
    this.#value = crc32(bytes, this.#value);
    this.#position += bytes.length;
    return this.#position !== this.#size || this.#value === this.#expected;
  }
}
