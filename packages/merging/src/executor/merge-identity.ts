import type { Checkpoint } from "@isthmus/core";
import { createHash, dirname, randomUUID } from "@isthmus/platform";
import { canonicalJson } from "@isthmus/tasks";
import type { MergePlan } from "../merge-plan.ts";
import { VERSION } from "../version.ts";
import { digestPlan, statesOf } from "./describe-plan.ts";
import { differencesOf, type MergeIdentity, readJournal, startOfMachine } from "./merge-journal.ts";
import { nameOfProducts } from "./provenance.ts";
import type { ResolvedOptions } from "./save-merge-options.ts";

/**
 * Checks whether a plan and its files determine the result. A network that is computed, or held in memory,
 * may differ the next time, unless the merge has a description from which it is made.
 */
function isRepeatable({ networks }: MergePlan, { source, making }: ResolvedOptions): boolean {
  return source !== undefined || making !== undefined || networks.every(isStored);
}

/** Checks whether a network is the content of a file, or of the shards in a folder. */
function isStored({ source, files }: Checkpoint): boolean {
  return (
    files.includes(source) ||
    (files.length > 0 && files.every((file) => dirname(file) === source.replace(/(?<=.)\/+$/, "")))
  );
}

/**
 * Lists everything that decides the bytes of a result. If the plan and its files do not determine the result,
 * the identity is unique, so that it never equals another.
 * @param inputs - paths of the files from which the networks are read
 */
export async function identify(
  plan: MergePlan,
  inputs: readonly string[],
  metadata: Readonly<Record<string, string>>,
  options: ResolvedOptions,
): Promise<MergeIdentity> {
  if (!isRepeatable(plan, options)) return { "some network that is computed": randomUUID() };
  const { source, maxShardBytes, pieceBytes, durable, allowNonFinite, form } = options;
  const states = await statesOf([...inputs, ...(source?.files ?? [])]);
  const files = states.map(({ path, ...state }) => [`the file "${path}"`, canonicalJson(state)]);
  return {
    "the version of the program": VERSION,
    "the plan": digestPlan(plan, true),
    ...productsOf(plan),
    "its description": digest(canonicalJson(source?.data ?? null)),
    "its metadata": digest(canonicalJson(metadata)),
    ...(form && { "the form of its files": form.identity }),
    "the size of shards": String(maxShardBytes),
    "the size of pieces": String(pieceBytes),
    "whether numbers must be finite": String(!allowNonFinite),
    ...Object.fromEntries(files),
    ...(!durable && { "the start of the machine": startOfMachine() }),
  };
}

/** Names the multiplier of matrices if methods need one, because different multipliers round differently. */
function productsOf(plan: MergePlan): Record<string, string> {
  const name = nameOfProducts(plan);
  return name === undefined ? {} : { "what multiplies matrices": name };
}

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

interface Continuation {
  readonly isWhole: boolean;
  readonly identity: MergeIdentity;
  readonly path: string;
  readonly options: ResolvedOptions;
}

/**
 * Returns the finished pieces of an interrupted merge if this merge is the same.
 * @returns undefined if the merge starts from the beginning
 */
export async function takeUp(
  folder: string,
  { isWhole, identity, path, options: { resume, onNote } }: Continuation,
): Promise<ReadonlySet<string> | undefined> {
  const anew = (reason: string): undefined =>
    void onNote?.(`Starting anew what was interrupted at "${path}", as ${reason}`);
  if (!resume) return anew("that was asked for");
  const journal = await readJournal(folder);
  if (journal === undefined) return anew("it had not got far enough to be continued");
  const [first, ...others] = differencesOf(journal.identity, identity);
  if (first !== undefined)
    return anew(`${first} has changed${others.length > 0 ? `, and ${others.length} more` : ""}`);
  if (!isWhole) return anew("some of its unfinished files are gone");
  onNote?.(`Going on with what was interrupted at "${path}": ${journal.finished.size} pieces are finished`);
  return journal.finished;
}
