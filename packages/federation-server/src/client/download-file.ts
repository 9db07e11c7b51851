import { open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { digestFile, InputError, writeError } from "@isthmus/core";
import { fileSize } from "../store/read-pieces.ts";
import type { AnswerBody, AnswerHead, Requester } from "./requester.ts";

/** A file that a client reads from its server. */
export interface DownloadedFile {
  /** Content of the file, for messages. */
  readonly what: "network" | "graph";
  /** Path of the request, such as `/v1/graph`. */
  readonly address: string;
  /** Path of the file, which gets its name once it is complete. */
  readonly path: string;
  /** SHA-256 that the bytes must have, in hexadecimal. @defaultValue any */
  readonly hash?: string;
  /** Largest number of bytes that the file may have. */
  readonly most: number;
}

/** End of the names of files that are not complete. */
const PART = ".part";

/**
 * Downloads a file unless it is there, and continues the download of a file with a hash that was interrupted.
 * There is one incomplete file of a path at most, and none that is too large, wrong, or has no room.
 * @throws InputError if the file is larger than it may be, has another hash, or cannot be written
 */
export async function downloadFile(request: Requester, file: DownloadedFile): Promise<void> {
  const { address, path, hash, what } = file;
  if (hash !== undefined && (await fileSize(path)) > 0 && (await digestFile(path)) === hash) return;
  const part = `${path}.${hash?.slice(0, 16) ?? "new"}${PART}`;
  await removeOtherParts(path, part);
  await request({
    path: address,
    accept: hash === undefined ? [] : [416],
    async headers(): Promise<Record<string, string>> {
      const size = hash === undefined ? 0 : await fileSize(part);
      return size === 0 ? {} : { range: `bytes=${size}-`, "if-range": `"${hash}"` };
    },
    async read(body, head) {
      const before = head.status === 206 ? await fileSize(part) : 0;
      await receive(body, head, { ...file, part, before });
    },
  });
  if (hash === undefined || (await digestFile(part)) === hash) {
    return rename(part, path).catch((error: unknown) => {
      throw writeError(path, error);
    });
  }
  await rm(part, { force: true });
  throw new InputError(
    `Cannot use the ${what} that the server sent as its SHA-256 must be ${hash}: it is another`,
    { input: hash },
  );
}

/** Removes incomplete files of the same path, which nothing will continue. */
async function removeOtherParts(path: string, part: string): Promise<void> {
  const folder = dirname(path);
  for (const name of await readdir(folder)) {
    const isPart = name.startsWith(`${basename(path)}.`) && name.endsWith(PART);
    if (isPart && name !== basename(part)) await rm(join(folder, name), { force: true });
  }
}

interface Receiving extends DownloadedFile {
  /** Path of the file while it is not complete. */
  readonly part: string;
  /** Number of bytes that are there already. */
  readonly before: number;
}

/**
 * Adds the bytes of an answer to a file, and counts them as they arrive, as a server may announce fewer. A
 * lost connection leaves the file to the next attempt.
 * @throws InputError if there are too many bytes, or they cannot be written; the file is removed
 */
async function receive(
  body: AnswerBody,
  { headers }: AnswerHead,
  { what, path, part, before, most }: Receiving,
): Promise<void> {
  const refuse = async (error: InputError): Promise<never> => {
    await rm(part, { force: true });
    throw error;
  };
  const unwritten = (error: unknown): Promise<never> => refuse(writeError(path, error));
  const assertSize = async (bytes: number, said: string): Promise<void> => {
    if (bytes <= most) return;
    const rule = `it may have ${most} bytes: the server ${said}`;
    await refuse(
      new InputError(
        `Cannot download the ${what} as ${rule}; nothing of it is kept; if you trust the server, allow more by --most-bytes (in a script: mostBytes)`,
        { input: path },
      ),
    );
  };
  const announced = before + Number(headers.get("content-length") ?? 0);
  await assertSize(announced, `announces ${announced}`);
  const file = await open(part, before > 0 ? "a" : "w").catch(unwritten);
  try {
    let bytes = before;
    for await (const piece of body) {
      bytes += piece.length;
      await assertSize(bytes, "sends more");
      await file.appendFile(piece).catch(unwritten);
    }
  } finally {
    await file.close();
  }
}
