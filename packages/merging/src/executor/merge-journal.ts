import { appendText, MismatchError, parseJson, readTextFile, saveFile } from "@isthmus/core";
import { createHash, decodeUtf8, encodeUtf8, join, readFileSync } from "@isthmus/platform";
import { canonicalJson } from "@isthmus/tasks";
import type { MergedPiece } from "./merge-tasks.ts";

/**
 * Everything that decides the bytes of a merge, by names for messages. An interrupted merge is resumed only
 * if all entries are unchanged.
 */
export type MergeIdentity = Readonly<Record<string, string>>;

/** Journal of an interrupted merge. */
export interface MergeJournal {
  /** Identity of the merge that began the journal. */
  readonly identity: MergeIdentity;
  /** Keys of the finished pieces, see {@link keyOf}. */
  readonly finished: ReadonlySet<string>;
}

const FORMAT = "isthmus merge";

/** Returns the path of the journal in the folder of unfinished files. */
export const journalPath = (folder: string): string => join(folder, "journal.jsonl");

/** Formats a piece as a text that identifies it. */
export function keyOf({ tensor, begin, end }: MergedPiece): string {
  return JSON.stringify([tensor, begin, end]);
}

/** Creates a journal without any pieces. */
export async function beginJournal(folder: string, identity: MergeIdentity): Promise<void> {
  await saveFile(journalPath(folder), `${JSON.stringify({ format: FORMAT, identity })}\n`);
}

/**
 * Adds a finished piece to the journal. Threads may do so concurrently, because systems append a line
 * completely or not at all. The last line of a killed process may be incomplete, and is ignored then.
 */
export async function noteFinished(folder: string, piece: MergedPiece): Promise<void> {
  await appendText(journalPath(folder), `${keyOf(piece)}\n`);
}

/** Computes a digest of an identity, by which machines distinguish merges. */
export function digestIdentity(identity: MergeIdentity): string {
  return createHash("sha256").update(canonicalJson(identity)).digest("hex").slice(0, 32);
}

/** Writes the digest of the merge to the folder of its unfinished files, for other machines to compare. */
export async function markRun(folder: string, run: string): Promise<void> {
  await saveFile(runPath(folder), run);
}

/**
 * Checks that a folder of unfinished files still belongs to a merge. It does not read the journal, which may
 * be written at the same time.
 * @param run - digest of the merge's identity
 * @throws MismatchError if the folder belongs to another merge by now, or is gone
 */
export async function assertRun(folder: string, run: string): Promise<void> {
  if ((await readTextFile(runPath(folder)).catch(() => undefined)) === run) return;
  throw new MismatchError(
    `Cannot go on with a merge in "${folder}" as it must still be wanted: it was given up, or another has begun there`,
    { parameters: ["run"] },
  );
}

const runPath = (folder: string): string => join(folder, "run.txt");

/** Reads the journal in a folder; undefined if there is no journal, or its first line is incomplete. */
export async function readJournal(folder: string): Promise<MergeJournal | undefined> {
  const finished = new Set<string>();
  let identity: MergeIdentity | undefined;
  try {
    for (const line of (await readTextFile(journalPath(folder))).split("\n").slice(0, -1)) {
      if (identity !== undefined) finished.add(line);
      else identity = parseIdentity(line);
      if (identity === undefined) return undefined;
    }
  } catch {
    return undefined;
  }
  return identity && { identity, finished };
}

function parseIdentity(line: string): MergeIdentity | undefined {
  try {
    const first = parseJson(encodeUtf8(line), { attempt: "go on with a merge", rule: "", format: FORMAT });
    const { format, identity } = (first ?? {}) as { format?: unknown; identity?: unknown };
    return format === FORMAT && typeof identity === "object" && identity !== null
      ? (identity as MergeIdentity)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Lists the names of the entries that differ between two identities. */
export function differencesOf(a: MergeIdentity, b: MergeIdentity): readonly string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => a[name] !== b[name]);
}

/**
 * Returns a text that differs after each start of the machine, if the system provides one. After a power cut,
 * pieces may be missing on the disk although the journal lists them.
 */
export function startOfMachine(): string {
  try {
    return decodeUtf8(readFileSync(new URL("file:///proc/sys/kernel/random/boot_id"))).trim();
  } catch {
    return "";
  }
}
