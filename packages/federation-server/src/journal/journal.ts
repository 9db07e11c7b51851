import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { FormatError, InvariantError } from "@isthmus/core";

/** A file of events, each on a line of its own, that survives the end of the process at any moment. */
export interface Journal {
  /** What the file held when it was opened, in order. */
  readonly lines: readonly unknown[];
  /** Bytes of a last line that was cut short, and was dropped when the file was opened. */
  readonly torn: number;
  /** Writes a line, and waits until the disk has it; lines that wait at once are written together. */
  append(line: object): Promise<void>;
  /** Waits for all lines and closes the file. */
  close(): Promise<void>;
}

/** Hexadecimal digits of the SHA-256 that stand before each line. */
const SUM_DIGITS = 16;

/**
 * Opens a journal, or begins one. Each line is a checksum, a space and JSON. A last line without its end is
 * what a killed process left: it is cut off, as nobody was told that it was there.
 * @throws FormatError if a line before the last is damaged
 */
export async function openJournal(path: string): Promise<Journal> {
  const file = await open(path, "a+");
  try {
    const { lines, bytes } = parseLines(await file.readFile(), path);
    const { size } = await file.stat();
    if (size > bytes) await file.truncate(bytes);
    await file.sync();
    return { lines, torn: size - bytes, ...createWriter(file) };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Returns the line of a journal that holds a value. */
export function encodeLine(value: object): string {
  const json = JSON.stringify(value);
  return `${sumOf(json)} ${json}\n`;
}

const sumOf = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, SUM_DIGITS);

function parseLines(content: Buffer, path: string): { lines: unknown[]; bytes: number } {
  const lines: unknown[] = [];
  let begin = 0;
  for (;;) {
    const end = content.indexOf(0x0a, begin);
    if (end < 0) return { lines, bytes: begin };
    const line = content.toString("utf8", begin, end);
    const json = line.slice(SUM_DIGITS + 1);
    if (line.slice(0, SUM_DIGITS) !== sumOf(json)) {
      throw new FormatError(
        `Cannot go on from "${path}" as every line must match its checksum: line ${lines.length + 1} does not; restore the file from a copy, or begin in another folder`,
        { format: "journal" },
      );
    }
    lines.push(JSON.parse(json));
    begin = end + 1;
  }
}

function createWriter(file: FileHandle): Pick<Journal, "append" | "close"> {
  let waiting: string[] = [];
  let next: Promise<void> | undefined;
  let last: Promise<void> = Promise.resolve();
  let closed = false;
  const write = async (previous: Promise<void>): Promise<void> => {
    await previous;
    const text = waiting.join("");
    waiting = [];
    next = undefined;
    await file.appendFile(text);
    await file.datasync();
  };
  return {
    append(line) {
      if (closed) throw new InvariantError("A closed journal was written to; please report this");
      waiting.push(encodeLine(line));
      if (next === undefined) {
        next = write(last);
        last = next;
      }
      return next;
    },
    async close() {
      closed = true;
      await last.finally(() => file.close());
    },
  };
}
