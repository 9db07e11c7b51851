import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MismatchError, parseJson, readTextFile, saveFile } from "@isthmus/core";
import { canonicalJson } from "@isthmus/tasks";
import type { MergedPiece } from "./merge-tasks.ts";

/**
 * Everything that decides the bytes of a merge, by what people call it. A merge goes on from where it was
 * interrupted only if all of it is as before.
 */
export type MergeIdentity = Readonly<Record<string, string>>;

/** What an interrupted merge has left. */
export interface MergeJournal {
  readonly identity: MergeIdentity;
  /** Pieces that are finished, as {@link keyOf} writes them. */
  readonly finished: ReadonlySet<string>;
}

const FORMAT = "isthmus merge";

/** Returns the path of the journal in the folder of unfinished files. */
export const journalPath = (folder: string): string => join(folder, "journal.jsonl");

/** Writes a piece as one text. */
export function keyOf({ tensor, begin, end }: MergedPiece): string {
  return JSON.stringify([tensor, begin, end]);
}

/** Begins a journal, without any piece. */
export async function beginJournal(folder: string, identity: MergeIdentity): Promise<void> {
  await writeFile(journalPath(folder), `${JSON.stringify({ format: FORMAT, identity })}\n`);
}

/**
 * Notes that a piece is finished. Threads write to the journal side by side, as a system appends a line whole
 * or not at all; the last line of a killed process may be cut off, and then does not count.
 */
export async function noteFinished(folder: string, piece: MergedPiece): Promise<void> {
  await appendFile(journalPath(folder), `${keyOf(piece)}\n`);
}

/** Computes a digest of an identity, by which machines tell merges apart. */
export function digestIdentity(identity: MergeIdentity): string {
  return createHash("sha256").update(canonicalJson(identity)).digest("hex").slice(0, 32);
}

/** Says in the folder of unfinished files which merge they are of, for other machines to compare. */
export async function markRun(folder: string, run: string): Promise<void> {
  await saveFile(runPath(folder), run);
}

/**
 * Checks that the folder of unfinished files still is of a merge. The journal itself may be written
 * meanwhile.
 * @param run - digest of that merge's identity
 * @throws MismatchError if it is of another one by now, or gone
 */
export async function assertRun(folder: string, run: string): Promise<void> {
  if ((await readTextFile(runPath(folder)).catch(() => undefined)) === run) return;
  throw new MismatchError(
    `Cannot go on with a merge in "${folder}" as it must still be wanted: it was given up, or another has begun there`,
    { parameters: ["run"] },
  );
}

const runPath = (folder: string): string => join(folder, "run.txt");

/** Reads the journal in a folder; undefined if there is none, or it was cut off in its first line. */
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
    const first = parseJson(Buffer.from(line), { attempt: "go on with a merge", rule: "", format: FORMAT });
    const { format, identity } = (first ?? {}) as { format?: unknown; identity?: unknown };
    return format === FORMAT && typeof identity === "object" && identity !== null
      ? (identity as MergeIdentity)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Lists what is not the same in two identities, by name. */
export function differencesOf(a: MergeIdentity, b: MergeIdentity): readonly string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => a[name] !== b[name]);
}

/**
 * Returns a text that another start of the machine changes, where the system says so: what was written before
 * a power cut may not be on the disk, though the journal is.
 */
export function startOfMachine(): string {
  try {
    return readFileSync(new URL("file:///proc/sys/kernel/random/boot_id"), "latin1").trim();
  } catch {
    return "";
  }
}
