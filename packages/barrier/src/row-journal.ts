import { readFile } from "node:fs/promises";
import { FormatError, MismatchError, saveFile } from "@isthmus/core";

/** What decides the numbers of a measurement, as plain data. */
export type JournalRun = Readonly<Record<string, string | number>>;

/** One row of a measurement. */
export interface JournalRow {
  readonly loss: readonly number[];
  readonly error: readonly number[];
}

/** Rows of a measurement that are kept in a file as they are finished. */
export interface RowJournal {
  /** Rows that are there, from the first. */
  readonly rows: readonly JournalRow[];
  /** Adds the next row; it is in the file, complete, when this returns. */
  add(row: JournalRow): Promise<void>;
}

const FORMAT = "isthmus rows";
const VERSION = 1;

/**
 * Opens the rows of a measurement, or begins them; numbers come back as they were, to the bit.
 * @param path - file to keep them in; without one they are kept in memory
 * @throws FormatError if the file is something else
 * @throws MismatchError if it is of another measurement; it names what differs. The file is then left as it is.
 */
export async function openRowJournal(path: string | undefined, run: JournalRun): Promise<RowJournal> {
  const rows = path === undefined ? [] : await readRows(path, run);
  return {
    rows,
    async add(row) {
      rows.push(row);
      if (path === undefined) return;
      const lines = rows.map(({ loss, error }) => ({ loss: loss.map(encode), error: error.map(encode) }));
      await saveFile(path, `${JSON.stringify({ format: FORMAT, version: VERSION, run, rows: lines })}\n`);
    },
  };
}

/** JSON has no NaN and no infinities. */
const encode = (value: number): number | string => (Number.isFinite(value) ? value : String(value));

async function readRows(path: string, run: JournalRun): Promise<JournalRow[]> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return [];
  const journal = parse(path, text);
  const differing = Object.keys({ ...run, ...journal.run }).filter((key) => run[key] !== journal.run[key]);
  if (differing.length > 0) {
    const told = differing.map((key) => `"${key}" is ${journal.run[key]} there and ${run[key]} here`);
    throw new MismatchError(
      `Cannot go on from "${path}" as it must be of the same measurement: ${told.join(", ")}; it was left as it is`,
      { parameters: differing },
    );
  }
  return journal.rows.map(({ loss, error }) => ({ loss: loss.map(Number), error: error.map(Number) }));
}

interface Journal {
  readonly run: JournalRun;
  readonly rows: readonly { readonly loss: unknown[]; readonly error: unknown[] }[];
}

function parse(path: string, text: string): Journal {
  const reject = (rule: string) =>
    new FormatError(`Cannot go on from "${path}" as ${rule}`, { format: FORMAT });
  let journal: Partial<Journal> & { readonly format?: unknown; readonly version?: unknown };
  try {
    journal = JSON.parse(text);
  } catch (cause) {
    throw reject(`it must hold rows of a measurement as JSON: ${(cause as Error).message}`);
  }
  const { format, version, run, rows } = journal ?? {};
  if (format !== FORMAT || version !== VERSION) {
    throw reject(`it must hold rows of a measurement, of version ${VERSION}: it is something else`);
  }
  const lists =
    Array.isArray(rows) && rows.every((row) => Array.isArray(row?.loss) && Array.isArray(row.error));
  if (typeof run === "object" && run !== null && lists) return { run, rows };
  throw reject("it must say which measurement it is of, and hold its rows: it is incomplete");
}
