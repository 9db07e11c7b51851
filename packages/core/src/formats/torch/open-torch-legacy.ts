import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { UnsupportedError } from "../../errors.ts";
import { entry } from "../../invariant.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import { MAX_PICKLE_BYTES } from "../../io/limits.ts";
import { excerpt } from "../../json/excerpt.ts";
import { DTYPES } from "../../tensor/dtype.ts";
import { formatErrors } from "../format-errors.ts";
import { collectTensors } from "./collect-tensors.ts";
import { defineTorchCheckpoint } from "./define-torch-checkpoint.ts";
import { createGlobalFinder } from "./globals.ts";
import { TruncatedError } from "./pickle/byte-cursor.ts";
import { PickleBudget } from "./pickle/pickle-budget.ts";
import { type PickleHost, readPickle } from "./pickle/read-pickle.ts";
import { PickleDict } from "./pickle/values.ts";
import { createStorageLoader } from "./storages.ts";
import type { TorchStorage } from "./tensors.ts";

const formatError = formatErrors("torch");

/**
 * Bytes of a legacy file from byte 2 on, after the pickle protocol: the pickle of the number
 * 0x1950a86a20f9469cfc6c.
 */
export const LEGACY_MAGIC: Uint8Array = Uint8Array.of(
  0x8a,
  10,
  0x6c,
  0xfc,
  0x9c,
  0x46,
  0xf9,
  0x20,
  0x6a,
  0xa8,
  0x50,
  0x19,
);

/** Protocol number of the format; there is no other. */
const PROTOCOL = 1001;

/**
 * Number of bytes that are read first for the pickles at the head of the file, whose length is not stored.
 */
const FIRST_HEAD_BYTES = 2 ** 20;

/** Contents of the pickles at the head of the file. */
interface Head {
  /** The saved value. */
  readonly value: unknown;
  /** Names of the storages, in the order in which they follow. */
  readonly keys: unknown;
  /** Position in the file at which the storages begin. */
  readonly end: number;
  readonly storages: ReadonlyMap<string, TorchStorage>;
}

/**
 * Opens a file that `torch.save` wrote before PyTorch 1.6, or since then without its zip format: five
 * pickles, then the storages one after the other.
 *
 * No code in the file is run. The checkpoint owns `source` and closes it; on failure the caller must close
 * it.
 * @param files - paths to report as read
 * @throws FormatError if the file is damaged, or claims more than it has.
 * @throws UnsupportedError if the pickles refer to anything but tensors and containers, or the variant of the
 *   file is not supported.
 */
export async function openTorchLegacy(
  source: ByteSource,
  files: readonly string[] = [],
): Promise<Checkpoint> {
  const head = await readHead(source);
  const tensors = collectTensors(head.value, source.name);
  const places = await placeStorages(head, source);
  for (const { storage } of tensors.values()) {
    if (!places.has(storage.key))
      throw formatError(source, `storage "${storage.key}" must follow: it does not`);
  }
  return defineTorchCheckpoint(source, tensors, files, async (key, begin, out) => {
    await source.readInto(entry(places, key, "storage") + begin, out);
  });
}

/** Reads the pickles at the head, and reads more bytes until they are complete. */
async function readHead(source: ByteSource): Promise<Head> {
  const most = Math.min(source.size, MAX_PICKLE_BYTES);
  for (let size = Math.min(FIRST_HEAD_BYTES, most); ; size = Math.min(4 * size, most)) {
    const bytes = await source.read(0, size);
    try {
      return parseHead(bytes, source);
    } catch (error) {
      if (!(error instanceof TruncatedError) || size === most) throw error;
    }
  }
}

function parseHead(bytes: Uint8Array, source: ByteSource): Head {
  const storages = new Map<string, TorchStorage>();
  const host: PickleHost = {
    find: createGlobalFinder(source.name),
    load: createStorageLoader(source.name, storages),
    budget: new PickleBudget(source.name),
  };
  let end = 0;
  const next = (): unknown => {
    const result = readPickle(bytes, host, source.name, end);
    end = result.end;
    return result.value;
  };
  next();
  const protocol = next();
  if (protocol !== PROTOCOL) {
    throw new UnsupportedError(
      `Cannot read "${source.name}" as the protocol of the old format must be ${PROTOCOL}: it is ${excerpt(protocol)}`,
      { feature: "torch.save protocol" },
    );
  }
  const system = next();
  if (!(system instanceof PickleDict) || system.entries.get("little_endian") !== true) {
    throw new UnsupportedError(
      `Cannot read "${source.name}" as its byte order must be little-endian: it is not`,
      {
        feature: "big-endian storages",
      },
    );
  }
  const value = next();
  const keys = next();
  return { value, keys, end, storages };
}

/** Finds the beginning of the bytes of each storage, after 8 bytes with the number of its elements. */
async function placeStorages(
  { keys, end, storages }: Head,
  source: ByteSource,
): Promise<Map<string, number>> {
  const places = new Map<string, number>();
  let position = end;
  for (const key of Array.isArray(keys) ? keys : []) {
    const storage = typeof key === "string" ? storages.get(key) : undefined;
    if (storage === undefined || places.has(storage.key)) {
      throw formatError(
        source,
        "the storages that follow must be those of its tensors, each once: they are not",
      );
    }
    const begin = position + 8;
    if (begin + storage.bytes > source.size) {
      const room = `${storage.bytes} bytes from ${begin} of ${source.size}`;
      throw formatError(source, `storages must be within the file: "${storage.key}" takes ${room}`);
    }
    const prefix = await source.read(position, begin);
    const elements = new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true);
    const width = storage.dtype === undefined ? 1 : DTYPES[storage.dtype].bytes;
    if (elements * BigInt(width) !== BigInt(storage.bytes)) {
      throw formatError(
        source,
        `storage "${storage.key}" must have ${storage.bytes / width} elements: it has ${elements}`,
      );
    }
    places.set(storage.key, begin);
    position = begin + storage.bytes;
  }
  return places;
}
