import { type FileHandle, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import type { Readable } from "node:stream";
import { isDiskFull, systemCodesOf, writeError } from "@isthmus/core";
import { type AppendBytes, createAppender } from "../store/append-bytes.ts";
import { freeMemory } from "../store/free-memory.ts";
import { fileSize } from "../store/read-pieces.ts";
import type { Store } from "../store/store.ts";
import { createSyncs } from "../store/syncs.ts";
import type { ScannedUpload, ScanRequest } from "../work/scan-upload.ts";
import { RefusedError } from "./refuse.ts";
import { createUploadTurns } from "./upload-turns.ts";

/** Bytes of an upload in one request; an upload may take any number of requests. */
export interface UploadChunk {
  /** Name of the client that uploads. */
  readonly client: string;
  /** SHA-256 that all bytes will have: the name of the upload. */
  readonly hash: string;
  /** Position of the first byte of this request. */
  readonly offset: number;
  /** Number of bytes of the whole upload. */
  readonly length: number;
  /** Whether the bytes of the upload that have arrived before are removed first. */
  readonly anew: boolean;
  /** Bytes of the request, as they arrive. */
  readonly body: Readable;
}

/**
 * Uploads of all clients. Each client has one upload at a time, and only one operation at a time changes it.
 * So an upload that is taken is complete, and no request can write to it afterwards.
 */
export interface Uploads {
  /** Returns the number of bytes of an upload that have arrived. */
  offsetOf(client: string, hash: string): Promise<number>;
  /** Appends the bytes of a request to an upload; returns the number of bytes that have arrived then. */
  write(chunk: UploadChunk): Promise<number>;
  /**
   * Moves an upload out of the reach of its client if all of its bytes have arrived and have its hash.
   * @param target - path to which no request writes
   * @returns what the bytes are; undefined if the upload was not moved
   * @throws RefusedError if another request of the client is writing an upload
   */
  take(client: string, hash: string, target: string): Promise<ScannedUpload | undefined>;
}

/** Scans the bytes of an upload that its file has so far; returns `null` while bytes are missing. */
export type ScanBytes = (request: Omit<ScanRequest, "parts">) => Promise<ScannedUpload | null>;

/** Number of bytes that are received before the scan of an upload goes on. */
const SCAN_BYTES = 2 ** 21;

/** An upload that is coming in, whose scan goes on with the next request. */
interface Incoming {
  readonly path: string;
  /** Number that tells the upload from all others. */
  readonly upload: number;
  /** Number of bytes that it will have. */
  readonly length: number;
  /** Number of bytes that have arrived. */
  offset: number;
  /** Number of bytes at which the scan went on last. */
  scanned: number;
}

/**
 * Creates the uploads of a store. The bytes of a lost connection stay, also when the server is started again;
 * another upload of the same client replaces them. Bytes are scanned in another thread, which reads them
 * from the file while further ones arrive.
 */
export function createUploads(
  store: Store,
  scan: ScanBytes,
  appendBytes: AppendBytes = createAppender(),
): Uploads {
  const turns = createUploadTurns();
  const syncs = createSyncs();
  const incoming = new Map<string, Incoming>();
  /** Scans by client of uploads whose hash is correct; others are scanned when they are taken. */
  const complete = new Map<string, { readonly path: string; readonly scanned: ScannedUpload }>();
  let uploads = 0;
  const write = async (chunk: UploadChunk): Promise<number> => {
    const { client, hash, offset, length, anew } = chunk;
    const path = store.upload(client, hash);
    await mkdir(store.uploads(client), { recursive: true });
    complete.delete(client);
    await removeOthers(store, client, anew ? undefined : path);
    const there = await fileSize(path);
    if (offset !== there) {
      throw new RefusedError(409, `The upload must go on at byte ${there}: the request begins at ${offset}`, {
        "upload-offset": String(there),
      });
    }
    const before = incoming.get(client);
    const goesOn = !anew && before?.path === path && before.offset === offset;
    const upload = goesOn ? before : { path, upload: ++uploads, length, offset, scanned: 0 };
    assertLength(upload, length);
    incoming.set(client, upload);
    const scanOn = () => scan({ client, upload: upload.upload, path, length, written: upload.offset });
    const file = await open(path, "a", 0o600);
    const goOn = async (): Promise<void> => {
      syncs.begin(file);
      await scanOn();
    };
    try {
      await append({ file, appendBytes, goOn }, chunk, upload).catch(namePath(path));
      if (upload.offset < length) return upload.offset;
      const [scanned] = await Promise.all([scanOn(), syncs.finish(file).catch(namePath(path))]);
      incoming.delete(client);
      if (scanned?.hash === hash) {
        complete.set(client, { path, scanned });
        return length;
      }
    } finally {
      await file.close();
    }
    await rm(path, { force: true });
    throw wrongHash();
  };
  const scanComplete = async (client: string, path: string): Promise<ScannedUpload | null> => {
    const length = await fileSize(path);
    if (incoming.get(client)?.path === path || length === 0) return null;
    const last = complete.get(client);
    if (last?.path === path) return last.scanned;
    return scan({ client, upload: ++uploads, path, length, written: length });
  };
  return {
    offsetOf: (client, hash) => fileSize(store.upload(client, hash)),
    write: (chunk) =>
      turns.takeOver(
        chunk.client,
        () => chunk.body.destroy(),
        () => write(chunk),
      ),
    take: (client, hash, target) =>
      turns.begin(client, async () => {
        const path = store.upload(client, hash);
        const scanned = await scanComplete(client, path);
        if (scanned?.hash !== hash) return undefined;
        complete.delete(client);
        await rename(path, target);
        return scanned;
      }),
  };
}

function assertLength({ length: announced }: Incoming, length: number): void {
  if (length === announced) return;
  throw new RefusedError(
    409,
    `An upload must keep its length: it was announced with ${announced} bytes, and now with ${length}; begin again by PUT`,
  );
}

const wrongHash = (): RefusedError =>
  new RefusedError(
    422,
    "The bytes must have the hash that they were announced with: they have another; send them again",
  );

/** Removes all uploads of a client except the upload at a path. */
async function removeOthers(store: Store, client: string, path: string | undefined): Promise<void> {
  const folder = store.uploads(client);
  for (const name of await readdir(folder)) {
    const other = `${folder}/${name}`;
    if (other !== path) await rm(other, { force: true, recursive: true });
  }
}

interface Appending {
  readonly file: FileHandle;
  readonly appendBytes: AppendBytes;
  /** Lets the scan of the upload and the disk go on to the bytes that have arrived. */
  readonly goOn: () => Promise<void>;
}

/**
 * Appends the bytes of a request until its end, or until the connection is lost; the bytes before the loss
 * are kept.
 *
 * It listens to events rather than iterating: an iterator that waits holds on to the bytes that it returned
 * last, which for hundreds of clients take much memory, and have become old objects of the heap by the time
 * they are dropped.
 */
async function append(
  { file, appendBytes, goOn }: Appending,
  { body, length }: UploadChunk,
  upload: Incoming,
): Promise<void> {
  let writing: Promise<void> | undefined;
  let scanning: Promise<unknown> | undefined;
  const take = (bytes: Buffer): void => {
    if (upload.offset + bytes.length > length) {
      throw new RefusedError(
        413,
        `The upload must have the ${length} bytes that were announced: there are more`,
      );
    }
    const { length: count } = bytes;
    const noteWritten = (): void => {
      upload.offset += count;
      freeMemory(bytes);
      if (scanning !== undefined || upload.offset - upload.scanned < SCAN_BYTES || upload.offset === length)
        return;
      upload.scanned = upload.offset;
      // If a scan fails, the last one of the upload begins again and tells.
      scanning = goOn()
        .catch(() => undefined)
        .finally(() => {
          scanning = undefined;
        });
    };
    writing = appendBytes(file, bytes)?.then(noteWritten);
    if (writing === undefined) noteWritten();
  };
  try {
    await forEachPiece(body, (bytes) => {
      take(bytes);
      return writing;
    });
    // A stream tells of its end once its last bytes were taken, although they may not be written yet.
    await writing;
  } catch (error) {
    // A write may be under way although the connection is lost.
    await writing?.catch(() => undefined);
    if (error instanceof RefusedError || isDiskError(error)) throw error;
    throw new RefusedError(408, `The connection was lost after byte ${upload.offset}: go on there`);
  } finally {
    // No scan may read the file after the request, as the next one may replace it.
    await scanning;
  }
}

/**
 * Calls a function with the pieces of a stream until its end; while a promise that the function returned is
 * pending, nothing is read.
 */
function forEachPiece(body: Readable, use: (bytes: Buffer) => Promise<void> | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      body.off("data", take).pause();
      reject(error);
    };
    const take = (bytes: Buffer): void => {
      try {
        const waits = use(bytes);
        if (waits === undefined) return;
        body.pause();
        waits.then(() => body.resume(), fail);
      } catch (error) {
        fail(error);
      }
    };
    body.on("data", take).once("end", resolve).on("error", fail);
    // After the end, closing has no effect.
    body.once("close", () => fail(body.errored));
    if (body.destroyed) fail(body.errored);
  });
}

/** Codes by which the system says that a disk fails for another reason than that it is full. */
const DISK_CODES: readonly string[] = ["EIO", "EROFS", "EFBIG"];

const isDiskError = (error: unknown): boolean =>
  isDiskFull(error) || systemCodesOf(error).some((code) => DISK_CODES.includes(code));

/** Returns a function that throws an error again, with the path if the disk is its cause. */
const namePath =
  (path: string) =>
  (error: unknown): never => {
    throw isDiskError(error) ? writeError(path, error) : error;
  };
