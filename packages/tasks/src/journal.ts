import { excerpt, FormatError, isIsthmusError, MismatchError, readJsonFile, saveFile } from "@isthmus/core";
import { stat } from "@isthmus/platform";

/** Key of objects that represent numbers which JSON lacks. */
const NUMBER = "isthmus number";

/** All facts that determine the numbers of a measurement, as plain data. */
export type JournalRun = Readonly<Record<string, string | number>>;

/** Finished pieces of a measurement, stored in a file so that a killed measurement can resume. */
export interface Journal {
  /** Returns whether a piece is finished. */
  has(key: string): boolean;
  /**
   * Returns the numbers of a piece. If they are not stored yet, computes them and stores them in the file
   * first. Several pieces may be computed at once; the same piece is computed once.
   */
  get(key: string, compute: () => Promise<readonly number[]>): Promise<readonly number[]>;
  /**
   * Returns a finished piece of plain data, or computes and stores it first. The returned value always has
   * the form in which it is read from the file, so that it lacks everything that JSON leaves out.
   */
  getData<T>(key: string, compute: () => Promise<T>): Promise<T>;
}

/** Numbers of the finished pieces, by their keys. */
type Pieces = Map<string, readonly number[]>;

/** All pieces: lists of numbers, and encoded plain data. */
interface Contents {
  readonly pieces: Pieces;
  readonly data: Map<string, unknown>;
}

const FORMAT = "isthmus journal";

const VERSION = 1;

/**
 * Opens the journal of a measurement, or creates one. Numbers are read exactly as they were stored.
 * @param path - file of the journal; undefined for one in memory
 * @throws FormatError if the file is not a journal
 * @throws MismatchError if it is the journal of another measurement; the message names the differences, and
 *   the file is left unchanged
 */
export async function openJournal(path: string | undefined, run: JournalRun): Promise<Journal> {
  const { pieces, data }: Contents =
    path === undefined ? { pieces: new Map(), data: new Map() } : await readPieces(path, run);
  const underWay = new Map<string, Promise<readonly number[]>>();
  let saved: Promise<void> = Promise.resolve();
  const save = (to: string): Promise<void> => {
    // Saves run one after the other, so that the last one contains all pieces.
    saved = saved.catch(() => {}).then(() => saveFile(to, encode({ pieces, data }, run)));
    return saved;
  };
  const add = async (key: string, compute: () => Promise<readonly number[]>) => {
    const numbers = await compute();
    pieces.set(key, numbers);
    if (path !== undefined) await save(path);
    return numbers;
  };
  return {
    has: (key) => pieces.has(key) || data.has(key),
    async getData<T>(key: string, compute: () => Promise<T>) {
      const stored = data.has(key) ? data.get(key) : encodePlain(await compute());
      if (!data.has(key)) {
        data.set(key, stored);
        if (path !== undefined) await save(path);
      }
      return decodePlain(stored) as T;
    },
    async get(key, compute) {
      const stored = underWay.get(key) ?? pieces.get(key);
      if (stored !== undefined) return stored;
      const added = add(key, compute).finally(() => underWay.delete(key));
      underWay.set(key, added);
      return added;
    },
  };
}

function encode({ pieces, data }: Contents, run: JournalRun): string {
  const lists = Object.fromEntries([...pieces].map(([key, numbers]) => [key, numbers.map(encodeNumber)]));
  const plain = data.size === 0 ? {} : { data: Object.fromEntries(data) };
  return `${JSON.stringify({ format: FORMAT, version: VERSION, run, pieces: lists, ...plain })}\n`;
}

/** Returns a number in a form that JSON can represent: NaN and infinities as text. */
const encodeNumber = (value: number): number | string => (Number.isFinite(value) ? value : String(value));

async function readPieces(path: string, run: JournalRun): Promise<Contents> {
  if ((await stat(path).catch(() => undefined)) === undefined) return { pieces: new Map(), data: new Map() };
  const journal = await readJournal(path);
  const differing = Object.keys({ ...run, ...journal.run }).filter((key) => run[key] !== journal.run[key]);
  if (differing.length > 0) {
    const lacking = differing.filter((key) => !Object.hasOwn(journal.run, key));
    const differences = differing
      .filter((key) => !lacking.includes(key))
      .map((key) => `"${key}" is ${excerpt(journal.run[key])} there and ${excerpt(run[key])} here`);
    if (lacking.length > 0)
      differences.push(`it does not say ${lacking.map((key) => `"${key}"`).join(", ")}`);
    throw new MismatchError(
      `Cannot go on from "${path}" as it must be of the same measurement: ${differences.join(", ")}; it was left as it is: ${REMEDY}`,
      { parameters: differing },
    );
  }
  return {
    pieces: new Map(Object.entries(journal.pieces).map(([key, numbers]) => [key, numbers.map(Number)])),
    data: new Map(Object.entries(journal.data)),
  };
}

/** Advice about a file from which a measurement cannot be resumed. */
const REMEDY = "name another file, or remove it to begin anew";

/** Contents of a journal's file. */
interface Stored {
  readonly run: JournalRun;
  readonly pieces: Readonly<Record<string, readonly unknown[]>>;
  readonly data: Readonly<Record<string, unknown>>;
}

async function readJournal(path: string): Promise<Stored> {
  const attempt = `go on from "${path}"`;
  const reject = (rule: string) =>
    new FormatError(`Cannot ${attempt} as ${rule}; ${REMEDY}`, { format: FORMAT });
  const rule = "it must hold pieces of a measurement as JSON";
  const value = await readJsonFile(path, { attempt, rule, format: FORMAT }).catch((cause: unknown) => {
    if (!isIsthmusError(cause, "FormatError")) throw cause;
    throw new FormatError(`${cause.message}; ${REMEDY}`, { format: FORMAT, cause });
  });
  const journal = value as
    | (Partial<Stored> & { readonly format?: unknown; readonly version?: unknown })
    | null;
  const { format, version, run, pieces, data = {} } = journal ?? {};
  if (format !== FORMAT || version !== VERSION) {
    throw reject(`it must hold pieces of a measurement, of version ${VERSION}: it is something else`);
  }
  const lists = isObject(pieces) && Object.values(pieces).every(isNumbers);
  if (isObject(run) && lists && isObject(data)) {
    return { run, pieces, data };
  }
  throw reject("it must say which measurement it is of, and hold its pieces: it is incomplete");
}

/** Returns whether a value is a list of numbers, some of which may be written as text. */
function isNumbers(value: unknown): boolean {
  return (
    Array.isArray(value) && value.every((entry) => typeof entry === "number" || typeof entry === "string")
  );
}

function isObject<T>(value: T | undefined): value is T & object {
  return typeof value === "object" && value !== null;
}

/**
 * Returns plain data in a form that JSON can represent: NaN and infinities as objects, and without undefined
 * values.
 */
function encodePlain(value: unknown): unknown {
  if (typeof value === "number") {
    // JSON has only one zero.
    return Number.isFinite(value) ? value + 0 : { [NUMBER]: String(value) };
  }
  return mapParts(value, encodePlain);
}

/** Returns the plain data that {@link encodePlain} encoded. */
function decodePlain(value: unknown): unknown {
  if (typeof value === "object" && value !== null && NUMBER in value) return Number(value[NUMBER]);
  return mapParts(value, decodePlain);
}

function mapParts(value: unknown, map: (part: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map(map);
  if (typeof value !== "object" || value === null) return value;
  const parts = Object.entries(value).filter(([, part]) => part !== undefined);
  return Object.fromEntries(parts.map(([key, part]) => [key, map(part)]));
}
