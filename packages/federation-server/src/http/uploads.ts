import { createHash, type Hash } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import type { Readable } from "node:stream";
import { digestFile } from "@isthmus/core";
import { type AppendBytes, createAppender } from "../store/append-bytes.ts";
import { fileSize, readPieces } from "../store/read-pieces.ts";
import type { Store } from "../store/store.ts";
import { RefusedError } from "./refuse.ts";
import { createUploadTurns } from "./upload-turns.ts";

/** Bytes that a client sends, for which it may take any number of requests. */
export interface UploadChunk {
  readonly client: string;
  /** SHA-256 that all bytes will have: the name of the upload. */
  readonly hash: string;
  /** Position of the first byte of this request. */
  readonly offset: number;
  /** Bytes of the whole upload. */
  readonly length: number;
  /** Whether bytes that are there of the upload are removed first. */
  readonly anew: boolean;
  readonly body: Readable;
}

/**
 * Uploads of all clients. Each client has one at a time, and whatever changes it runs alone: the bytes that
 * are taken are whole, and no request can write to them afterwards.
 */
export interface Uploads {
  /** Returns how many bytes of an upload are there. */
  offsetOf(client: string, hash: string): Promise<number>;
  /** Writes the bytes of a request after the ones that are there; returns how many are there then. */
  write(chunk: UploadChunk): Promise<number>;
  /**
   * Moves an upload out of the reach of its client if all of its bytes are there and have its hash; returns
   * whether they do.
   * @param target - path that no request writes to
   * @throws RefusedError if a request of the client writes an upload just now
   */
  take(client: string, hash: string, target: string): Promise<boolean>;
}

/** What is known of an upload whose requests came one after another, so that it needs not be read again. */
interface Digest {
  readonly path: string;
  readonly hash: Hash;
  offset: number;
}

/**
 * Creates the uploads of a store. What a lost connection had sent stays, also when the server is started
 * again; another upload of the same client takes its place.
 */
export function createUploads(store: Store): Uploads {
  const turns = createUploadTurns();
  const digests = new Map<string, Digest>();
  const appendBytes = createAppender();
  /**
   * The path of each client whose bytes were found to have their hash; others are read, as after a restart.
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

/** Removes all uploads of a client but the one at a path. */
async function removeOthers(store: Store, client: string, path: string | undefined): Promise<void> {
  const folder = store.uploads(client);
  for (const name of await readdir(folder)) {
    const other = `${folder}/${name}`;
    if (other !== path) await rm(other, { force: true, recursive: true });
  }
}

/** Returns the digest of the bytes that are there: as it is digest, else of what lies on the disk. */
async function digestOf(digest: Digest | undefined, path: string, offset: number): Promise<Digest> {
  if (digest?.path === path && digest.offset === offset) return digest;
  const hash = createHash("sha256");
  if (offset > 0) {
    for await (const piece of readPieces(path, 0, offset)) hash.update(piece);
  }
  return { path, hash, offset };
}

/**
 * Writes what comes until the end, or until the connection is lost, which is no failure of what came before.
 *
 * Listens rather than iterates: an iterator that waits holds on to the bytes that it gave last, which of
 * hundreds of clients are many, and old by the time they are dropped.
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
 * Calls a function with the pieces of a stream until its end; while a promise is pending that it returned,
 * nothing is read.
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
    // Behind the end, closing changes nothing.
    body.once("close", () => fail(body.errored));
    if (body.destroyed) fail(body.errored);
  });
}

const isDiskError = (error: unknown): boolean =>
  ["ENOSPC", "EDQUOT", "EIO", "EROFS", "EFBIG"].includes((error as NodeJS.ErrnoException | null)?.code ?? "");
