import { createHash, type Hash } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import type { Readable } from "node:stream";
import { digestFile } from "@isthmus/core";
import { type AppendBytes, createAppender } from "../store/append-bytes.ts";
import { fileSize, readPieces } from "../store/read-pieces.ts";
import type { Store } from "../store/store.ts";
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
   * Moves an upload out of the reach of its client if all of its bytes have arrived and have its hash;
   * returns whether it was moved.
   * @param target - path to which no request writes
   * @throws RefusedError if another request of the client is writing an upload
   */
  take(client: string, hash: string, target: string): Promise<boolean>;
}

/** Digest of the bytes of an upload so far, so that they need not be read again for the next request. */
interface Digest {
  readonly path: string;
  readonly hash: Hash;
  offset: number;
}

/**
 * Creates the uploads of a store. The bytes of a lost connection stay, also when the server is started again;
 * another upload of the same client replaces them.
 */
export function createUploads(store: Store): Uploads {
  const turns = createUploadTurns();
  const digests = new Map<string, Digest>();
  const appendBytes = createAppender();
  /**
   * Path by client of uploads whose hash was found to be correct; other uploads are read to check it, as
   * after a restart.
   */
  const complete = new Map<string, string>();
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
    const digest = await digestOf(digests.get(client), path, offset);
    digests.set(client, digest);
    const file = await open(path, "a", 0o600);
    try {
      await append({ file, appendBytes }, chunk, digest);
      if (digest.offset === length) await file.sync();
    } finally {
      await file.close();
    }
    if (digest.offset < length) return digest.offset;
    digests.delete(client);
    if (digest.hash.digest("hex") === hash) {
      complete.set(client, path);
      return length;
    }
    await rm(path, { force: true });
    throw new RefusedError(
      422,
      "The bytes must have the hash that they were announced with: they have another; send them again",
    );
  };
  const isComplete = async (client: string, path: string, hash: string): Promise<boolean> => {
    if (digests.get(client)?.path === path || (await fileSize(path)) === 0) return false;
    return complete.get(client) === path || (await digestFile(path)) === hash;
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
        if (!(await isComplete(client, path, hash))) return false;
        complete.delete(client);
        await rename(path, target);
        return true;
      }),
  };
}

/** Removes all uploads of a client except the upload at a path. */
async function removeOthers(store: Store, client: string, path: string | undefined): Promise<void> {
  const folder = store.uploads(client);
  for (const name of await readdir(folder)) {
    const other = `${folder}/${name}`;
    if (other !== path) await rm(other, { force: true, recursive: true });
  }
}

/**
 * Returns the digest of the first `offset` bytes: `digest` if it is up to date, else a digest of the bytes on
 * the disk.
 */
async function digestOf(digest: Digest | undefined, path: string, offset: number): Promise<Digest> {
  if (digest?.path === path && digest.offset === offset) return digest;
  const hash = createHash("sha256");
  if (offset > 0) {
    for await (const piece of readPieces(path, 0, offset)) hash.update(piece);
  }
  return { path, hash, offset };
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
  { file, appendBytes }: { readonly file: FileHandle; readonly appendBytes: AppendBytes },
  { body, length }: UploadChunk,
  digest: Digest,
): Promise<void> {
  let writing: Promise<void> | undefined;
  const take = (bytes: Buffer): void => {
    if (digest.offset + bytes.length > length) {
      throw new RefusedError(
        413,
        `The upload must have the ${length} bytes that were announced: there are more`,
      );
    }
    const count = (): void => {
      digest.hash.update(bytes);
      digest.offset += bytes.length;
    };
    writing = appendBytes(file, bytes)?.then(count);
    if (writing === undefined) count();
  };
  try {
    await forEachPiece(body, (bytes) => {
      take(bytes);
      return writing;
    });
  } catch (error) {
    // A write may be under way although the connection is lost.
    await writing?.catch(() => undefined);
    if (error instanceof RefusedError || isDiskError(error)) throw error;
    throw new RefusedError(408, `The connection was lost after byte ${digest.offset}: go on there`);
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

const isDiskError = (error: unknown): boolean =>
  ["ENOSPC", "EDQUOT", "EIO", "EROFS", "EFBIG"].includes((error as NodeJS.ErrnoException | null)?.code ?? "");
