import { createHash, type Hash } from "node:crypto";
import { type FileHandle, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { InputError, reasonOf } from "@isthmus/core";
import { type HubClient, isLost, LostError, lossOf } from "./hub-client.ts";
import { lostOf, strangeAnswer } from "./hub-errors.ts";
import type { HubFile } from "./list-repository.ts";

/** A file to fetch, and the place of its content in the cache. */
export interface BlobOrder {
  /** File of the repository, with its size and digest. */
  readonly file: HubFile;
  /** Path of the content on the hub, such as `/owner/model/resolve/COMMIT/model.safetensors`. */
  readonly path: string;
  /** Path of the blob. */
  readonly blob: string;
  /** The attempt in words, for messages. */
  readonly attempt: string;
  /** Called with the number of bytes of the file that are there; it may become smaller. */
  readonly onBytes: (bytes: number) => void;
}

/** Number of times in a row that a body may break off with hardly a byte more than before. */
const MAX_LOSSES = 5;
/** Bytes that are hashed at once of a file that was begun before. */
const HASHED_AT_ONCE = 4 * 2 ** 20;

/** Returns the path under which a blob is written until it is complete. */
export function partialPathOf(blob: string): string {
  return `${blob}.isthmus.incomplete`;
}

/**
 * Fetches the content of a file into the cache. Bytes that an earlier process fetched are kept, and the rest
 * is requested by a range. The blob gets its name once all bytes are on the disk and have the digest that the
 * hub listed.
 * @throws FormatError if the content has another size or digest
 * @throws InputError if the hub cannot be reached, or the cache cannot be written
 */
export async function fetchBlob(client: HubClient, order: BlobOrder): Promise<void> {
  const { blob } = order;
  const partial = partialPathOf(blob);
  try {
    await mkdir(dirname(blob), { recursive: true });
    if (!(await fill(client, order, partial))) {
      // What an earlier process left may be damaged; without it there is no excuse.
      await rm(partial, { force: true });
      if (!(await fill(client, order, partial))) throw wrongDigest(order);
    }
    await rename(partial, blob);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw new InputError(`Cannot write "${blob}" as ${reasonOf(error)}`, { input: blob, cause: error });
  }
}

/**
 * Completes the partial file.
 * @returns whether it has the right digest; false only if an earlier process began it
 * @throws FormatError if it was fetched whole and has another digest; the file is removed
 */
async function fill(client: HubClient, order: BlobOrder, partial: string): Promise<boolean> {
  const { file } = order;
  const before = (await stat(partial).catch(() => undefined))?.size ?? 0;
  const handle = await open(partial, before > 0 && before <= file.size ? "r+" : "w+");
  let isRight = false;
  try {
    const content = new PartialContent(handle, file);
    await content.read(before <= file.size ? before : 0);
    order.onBytes(content.size);
    await fetchRest(client, order, content);
    isRight = content.digest() === file.digest;
    if (isRight) await handle.sync();
  } finally {
    await handle.close();
  }
  if (isRight) return true;
  await rm(partial, { force: true });
  if (before > 0) return false;
  throw wrongDigest(order);
}

async function fetchRest(client: HubClient, order: BlobOrder, content: PartialContent): Promise<void> {
  const { file, attempt } = order;
  for (let losses = 0; content.size < file.size; ) {
    const start = content.size;
    try {
      await fetchOnce(client, order, content);
    } catch (error) {
      if (!isLost(error)) throw error;
      losses = content.size - start >= client.patience.leastBytes ? 0 : losses + 1;
      if (losses >= MAX_LOSSES)
        throw lostOf(lossOf(error), { attempt, endpoint: client.endpoint, hasToken: true });
    }
  }
}

/** Requests the rest of a file and adds what comes of it. */
async function fetchOnce(client: HubClient, order: BlobOrder, content: PartialContent): Promise<void> {
  const { file, path, attempt } = order;
  const range = content.size > 0 ? `bytes=${content.size}-` : undefined;
  const response = await client.open({ path, attempt, range, accept: [416] });
  assertPlain(response, order);
  // A server that ignores ranges sends all of it again.
  if (response.status !== 206) await content.clear();
  else assertRange(response, content.size, order);
  if (response.status === 416) {
    await response.body?.cancel().catch(() => {});
    return;
  }
  for await (const chunk of client.chunks(response)) {
    if (content.size + chunk.length > file.size) {
      await content.clear();
      throw strangeAnswer({ attempt }, `"${file.path}" must have ${file.size} bytes: the hub sends more`);
    }
    await content.add(chunk);
    order.onBytes(content.size);
  }
  if (content.size === file.size) return;
  throw new LostError(`the connection closed after ${content.size} of ${file.size} bytes of "${file.path}"`);
}

/** @throws FormatError if a body is packed: its range means nothing, and it may unpack to any size */
function assertPlain(response: Response, { attempt, file }: BlobOrder): void {
  const packing = response.headers.get("content-encoding");
  if (packing === null || packing === "identity") return;
  void response.body?.cancel().catch(() => {});
  throw strangeAnswer(
    { attempt },
    `"${file.path}" must come as it is: the hub packs it by ${packing.slice(0, 40)}`,
  );
}

function assertRange(response: Response, begin: number, { attempt, file }: BlobOrder): void {
  const said = response.headers.get("content-range") ?? "";
  if (said.startsWith(`bytes ${begin}-`) && (said.endsWith(`/${file.size}`) || said.endsWith("/*"))) return;
  void response.body?.cancel().catch(() => {});
  throw strangeAnswer(
    { attempt },
    `"${file.path}" must go on at byte ${begin} of ${file.size}: the hub sends "${said.slice(0, 60)}"`,
  );
}

function wrongDigest({ attempt, file }: BlobOrder): Error {
  return strangeAnswer(
    { attempt },
    `"${file.path}" must have the digest that the hub lists, ${file.digest}: what came has another; nothing of it was kept, try again, or ask the owner of the repository`,
  );
}

/** A file that grows at its end, and the digest of what it holds. */
class PartialContent {
  readonly #handle: FileHandle;
  readonly #file: HubFile;
  #hash: Hash;
  #size = 0;

  constructor(handle: FileHandle, file: HubFile) {
    this.#handle = handle;
    this.#file = file;
    this.#hash = startHash(file);
  }

  /** Number of bytes. */
  get size(): number {
    return this.#size;
  }

  /** Takes over bytes that are in the file already. */
  async read(bytes: number): Promise<void> {
    const buffer = Buffer.alloc(Math.min(bytes, HASHED_AT_ONCE));
    while (this.#size < bytes) {
      const length = Math.min(buffer.length, bytes - this.#size);
      const { bytesRead } = await this.#handle.read(buffer, 0, length, this.#size);
      if (bytesRead === 0) return;
      this.#hash.update(buffer.subarray(0, bytesRead));
      this.#size += bytesRead;
    }
  }

  /** Adds bytes at the end. */
  async add(chunk: Uint8Array): Promise<void> {
    for (let done = 0; done < chunk.length; ) {
      const rest = chunk.length - done;
      done += (await this.#handle.write(chunk, done, rest, this.#size + done)).bytesWritten;
    }
    this.#hash.update(chunk);
    this.#size += chunk.length;
  }

  /** Removes all bytes. */
  async clear(): Promise<void> {
    await this.#handle.truncate(0);
    this.#hash = startHash(this.#file);
    this.#size = 0;
  }

  /** Returns the digest of all bytes, after which none may be added. */
  digest(): string {
    return this.#hash.digest("hex");
  }
}

/** Starts a digest: SHA-256 of the content, or SHA-1 of the content behind the header of a blob of git. */
function startHash({ digestKind, size }: HubFile): Hash {
  if (digestKind === "sha256") return createHash("sha256");
  return createHash("sha1").update(`blob ${size}\0`);
}
