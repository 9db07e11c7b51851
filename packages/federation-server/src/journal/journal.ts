import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { FormatError, InvariantError, isDiskFull, parseJson, writeError } from "@isthmus/core";
import { fileSize, readPieces } from "../store/read-pieces.ts";

/** A file of events, each on a line of its own, that survives the end of the process at any moment. */
export interface Journal {
  /** Number of lines that the file held when it was opened. */
  readonly lines: number;
  /** Number of bytes of an incomplete last line, which was dropped when the file was opened. */
  readonly torn: number;
  /**
   * Writes a line, and waits until it is on the disk; lines that wait at once are written together.
   * @throws InvariantError if the line is too long to be read again
   * @throws InputError if the file cannot be written; no later line can be appended then
   */
  append(line: object): Promise<void>;
  /**
   * Lets lines wait from now on if the disk is full, rather than fail, until a signal is aborted.
   * @param tell - called with the error when lines begin to wait, and with `undefined` once there was room
   */
  waitForRoom(signal: AbortSignal, tell: (error: Error | undefined) => void): void;
  /** Waits for all lines, which may fail, and closes the file. */
  close(): Promise<void>;
}

/** Number of hexadecimal digits of the SHA-256 before each line. */
const SUM_DIGITS = 16;

/** Longest line in bytes, which is both written and read: the messages of a secure sum take a hundredth. */
const MOST_LINE_BYTES = 2 ** 24;

/** Version, named by the first line, of journals in which the checksum of a line covers that line alone. */
const UNCHAINED_VERSION = 1;

const NEWLINE = 0x0a;

/**
 * Opens a journal, or begins one. Each line is a checksum, a space and JSON. The checksum covers the checksum
 * before and the JSON, so that a line that is changed, left out or moved is detected. An incomplete last line
 * was left by a killed process: it is cut off, as its event was never confirmed.
 * @param take - called with the value of each line, in order; only one line is in memory at a time
 * @throws FormatError if a line before the last is damaged, or does not follow the line before it
 */
export async function openJournal(path: string, take: (line: unknown) => void): Promise<Journal> {
  const size = await fileSize(path);
  const { lines, bytes, chain } = await readLines(path, size, take);
  const file = await open(path, "a", 0o600);
  try {
    await file.chmod(0o600);
    if (size > bytes) await file.truncate(bytes);
    await file.sync();
    return { lines, torn: size - bytes, ...createWriter(file, { path, bytes, chain }) };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The end of a journal, from which the checksum of the next line is computed. */
interface Chain {
  /** Checksum of the last line; empty before the first. */
  sum: string;
  /** Whether each checksum covers one line alone, as in journals of the first version. */
  unchained: boolean;
}

/** Returns the checksum of the line that comes next. */
function nextSum(json: string, { sum, unchained }: Chain): string {
  const before = unchained ? "" : sum;
  return createHash("sha256").update(before).update(json).digest("hex").slice(0, SUM_DIGITS);
}

/** Moves the end of a journal behind a line. */
function moveBehind(chain: Chain, sum: string, value: unknown): void {
  if (chain.sum === "")
    chain.unchained = (value as { version?: unknown } | null)?.version === UNCHAINED_VERSION;
  chain.sum = sum;
}

/** Returns the line of a journal that holds a value, and moves the end of the journal behind it. */
export function encodeLine(value: object, chain: Chain): string {
  const json = JSON.stringify(value);
  const sum = nextSum(json, chain);
  moveBehind(chain, sum, value);
  return `${sum} ${json}\n`;
}

/** Returns the end of a journal without a line. */
export const beginChain = (): Chain => ({ sum: "", unchained: false });

/** Reads all complete lines. */
async function readLines(
  path: string,
  size: number,
  take: (line: unknown) => void,
): Promise<{ readonly lines: number; readonly bytes: number; readonly chain: Chain }> {
  const chain = beginChain();
  let [lines, bytes] = [0, 0];
  for await (const line of cutLines(path, size)) {
    lines++;
    bytes += line.length + 1;
    const text = line.toString("utf8");
    const json = text.slice(SUM_DIGITS + 1);
    const sum = nextSum(json, chain);
    if (text.slice(0, SUM_DIGITS) !== sum) {
      throw damaged(
        path,
        `every line must match its checksum, which is of it and of all lines before: line ${lines} does not, so that it was changed, or a line is missing or in another place`,
      );
    }
    const value = parseJson(json, { attempt: `read "${path}"` });
    moveBehind(chain, sum, value);
    take(value);
  }
  return { lines, bytes, chain };
}

/** Reads a file line by line, without the ends of lines; bytes behind the last end are left out. */
async function* cutLines(path: string, size: number): AsyncGenerator<Buffer> {
  let rest: Uint8Array[] = [];
  let length = 0;
  // There may be no file yet.
  if (size === 0) return;
  for await (const piece of readPieces(path, 0, size)) {
    let begin = 0;
    for (let end = piece.indexOf(NEWLINE); end >= 0; end = piece.indexOf(NEWLINE, begin)) {
      yield Buffer.concat([...rest, piece.subarray(begin, end)]);
      [rest, length, begin] = [[], 0, end + 1];
    }
    rest.push(piece.subarray(begin));
    length += piece.length - begin;
    if (length > MOST_LINE_BYTES)
      throw damaged(path, `a line may have ${MOST_LINE_BYTES} bytes: one has more`);
  }
}

function damaged(path: string, rule: string): FormatError {
  return new FormatError(
    `Cannot go on from "${path}" as ${rule}; restore the file from a copy, or begin in another folder`,
    { format: "journal" },
  );
}

/** Milliseconds until lines are written again that found no room on the disk. */
const ROOM_MS = 1000;

/** File of a journal, and its end. */
interface JournalEnd {
  readonly path: string;
  /** Number of bytes of all complete lines. */
  readonly bytes: number;
  readonly chain: Chain;
}

function createWriter(
  file: FileHandle,
  { path, bytes: begin, chain }: JournalEnd,
): Omit<Journal, "lines" | "torn"> {
  let bytes = begin;
  let waiting: string[] = [];
  let next: Promise<void> | undefined;
  let last: Promise<void> = Promise.resolve();
  let closed = false;
  let room: { signal: AbortSignal; tell: (error: Error | undefined) => void } | undefined;
  /** Writes text, and returns the error of a disk that is full. */
  const tryWrite = async (text: string): Promise<Error | undefined> => {
    try {
      await file.appendFile(text);
      await file.datasync();
      bytes += Buffer.byteLength(text);
      return undefined;
    } catch (error) {
      const failure = writeError(path, error);
      if (room === undefined || room.signal.aborted || !isDiskFull(error)) throw failure;
      // The next attempt must not follow half a line.
      await file.truncate(bytes);
      return failure;
    }
  };
  const write = async (previous: Promise<void>): Promise<void> => {
    await previous;
    const text = waiting.join("");
    waiting = [];
    next = undefined;
    let failure = await tryWrite(text);
    if (failure === undefined) return;
    room?.tell(failure);
    while (failure !== undefined) {
      await setTimeout(ROOM_MS, undefined, { signal: room?.signal }).catch(() => undefined);
      failure = await tryWrite(text);
    }
    room?.tell(undefined);
  };
  return {
    append(line) {
      if (closed) throw new InvariantError("A closed journal was written to; please report this");
      const text = encodeLine(line, chain);
      if (Buffer.byteLength(text) > MOST_LINE_BYTES) {
        const reason = "A line of the journal would be too long to be read again; please report this";
        return Promise.reject(new InvariantError(reason));
      }
      waiting.push(text);
      if (next === undefined) {
        next = write(last);
        last = next;
      }
      return next;
    },
    waitForRoom(signal, tell) {
      room = { signal, tell };
    },
    async close() {
      closed = true;
      // Whoever appended a line was told that it failed.
      await last.catch(() => undefined);
      await file.close();
    },
  };
}
