import { createHash, randomUUID } from "node:crypto";
import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import {
  assertWholeOptions,
  at,
  byteLengthOf,
  type Checkpoint,
  InputError,
  OutOfRangeError,
  resolveOptions,
  type StagedCheckpoint,
  stageCheckpoint,
} from "@isthmus/core";
import { canonicalJson } from "@isthmus/tasks";
import { type MergePlan, mergeByPlan } from "../merge-plan.ts";
import { digestPlan, statesOf } from "./describe-plan.ts";
import {
  countPasses,
  DEFAULT_MEMORY,
  estimateMerge,
  isBlended,
  type MergeEstimate,
  roomForSurveys,
} from "./estimate-merge.ts";
import { createMergeExecutor, runMergeTasks } from "./merge-executor.ts";
import {
  beginJournal,
  differencesOf,
  keyOf,
  type MergeIdentity,
  readJournal,
  startOfMachine,
} from "./merge-journal.ts";
import type { MergeSource } from "./merge-source.ts";
import { cutIntoTasks } from "./merge-tasks.ts";
import { hashFiles, mergeMetadata, programVersion } from "./provenance.ts";

/** Progress of {@link saveMerge}, in bytes of the result. */
export interface MergeProgress {
  /** Share of the bytes that are written, in `[0, 1]`. */
  readonly done: number;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** Options of {@link saveMerge}. */
export interface SaveMergeOptions {
  /**
   * Description from which worker threads make the same plan. @defaultValue undefined: all work is done in
   * this thread
   */
  readonly source?: MergeSource | undefined;
  /** Most tasks at once. @defaultValue as many as there are cores, 1 for a result of less than 64 MB */
  readonly threads?: number | undefined;
  /** Most bytes of memory that the process may take. @defaultValue 1 GiB */
  readonly memory?: number;
  /** Most bytes of tensors in one file; a larger tensor gets a file of its own. @defaultValue no limit */
  readonly maxShardBytes?: number;
  /**
   * Bytes of the result in one piece, rounded up to a multiple of 8: what a killed merge has to make again,
   * in each thread. @defaultValue 32 MiB
   */
  readonly pieceBytes?: number;
  /** Whether to replace an earlier checkpoint of that name, but never an input. @defaultValue false */
  readonly overwrite?: boolean;
  /** Whether to write NaN and infinities. @defaultValue false */
  readonly allowNonFinite?: boolean;
  /** Whether to go on with what an interrupted merge has left, else it starts anew. @defaultValue true */
  readonly resume?: boolean;
  /**
   * Whether all must be on the disk before it counts as finished, to survive a power cut.
   * @defaultValue false
   */
  readonly durable?: boolean;
  /** The recipe to store in the metadata, as JSON can hold it. @defaultValue none */
  readonly recipe?: unknown;
  /**
   * Whether to store the SHA-256 of every input in the metadata; files are read once more for it, beside the
   * merge. @defaultValue false
   */
  readonly hashInputs?: boolean;
  /** Signal that stops the work; what is finished stays, so that the same merge can go on. */
  readonly signal?: AbortSignal | undefined;
  /** Called before anything is written. */
  readonly onStart?: ((estimate: MergeEstimate) => void) | undefined;
  readonly onProgress?: ((progress: MergeProgress) => void) | undefined;
  /** Called with sentences for people, such as why a merge starts anew. */
  readonly onNote?: ((note: string) => void) | undefined;
}

/** What became of the tensors of a merge. */
export interface MergedTensors {
  /** Tensors that were computed by a method. */
  readonly merged: number;
  /** Tensors that were taken from one network as they are. */
  readonly copied: number;
  /** Names of tensors of the networks that no tensor of the result is made of. */
  readonly absent: readonly string[];
}

/** Result of {@link saveMerge}. */
export interface SaveMergeResult {
  /** Path to open the checkpoint by. */
  readonly path: string;
  /** Paths of all files, the index last. */
  readonly files: readonly string[];
  /** Bytes of all files. */
  readonly bytes: number;
  /** Bytes of tensors that an interrupted merge had finished. */
  readonly resumedBytes: number;
  readonly tensors: MergedTensors;
  readonly threads: number;
  readonly seconds: number;
  /** Most memory that the process has taken since it started, in bytes. */
  readonly peakBytes: number;
}

/** Defaults of {@link saveMerge}. */
export const SAVE_MERGE_DEFAULTS: Required<SaveMergeOptions> = {
  source: undefined,
  threads: undefined,
  memory: DEFAULT_MEMORY,
  maxShardBytes: Number.POSITIVE_INFINITY,
  pieceBytes: 2 ** 25,
  overwrite: false,
  allowNonFinite: false,
  resume: true,
  durable: false,
  recipe: undefined,
  hashInputs: false,
  signal: undefined,
  onStart: undefined,
  onProgress: undefined,
  onNote: undefined,
};

/** Bytes of a result below which starting threads takes longer than they save. */
const SMALL_BYTES = 64e6;

/**
 * Makes a merge and saves it as safetensors, by several threads, within a limit of memory.
 *
 * Pieces of tensors are written in any order into hidden files, which get their names once all are complete.
 * A journal notes the pieces that are finished: if the process is killed, the disk is full, or the signal is
 * aborted, the same call goes on from there. If the plan or a file has changed meanwhile it starts anew, and
 * says so. The bytes depend on the plan alone, not on threads, memory or interruptions.
 *
 * @param path - as of `saveCheckpoint`
 * @throws InputError if the path cannot be used, the disk is full, or a number is not finite
 * @throws OutOfRangeError if the memory is too little; the message says how much is needed
 * @throws MismatchError if `source` makes another plan
 * @throws the reason of the signal if it is aborted
 */
export async function saveMerge(
  plan: MergePlan,
  path: string,
  options: SaveMergeOptions = {},
): Promise<SaveMergeResult> {
  const began = performance.now();
  const resolved = resolveOptions("save a merge", SAVE_MERGE_DEFAULTS, options);
  assertOptions(resolved);
  resolved.signal?.throwIfAborted();
  const result = mergeByPlan(plan);
  const estimate = await estimateMerge(plan, {
    threads: threadsFor(plan, resolved),
    memory: resolved.memory,
  });
  resolved.onStart?.(estimate);
  const inputs = [...new Set(plan.networks.flatMap(({ files }) => files))];
  const hashes = resolved.hashInputs ? new Map<string, string>() : undefined;
  const metadata = mergeMetadata(plan, resolved.recipe, hashes);
  const identity = isRepeatable(plan, resolved)
    ? await identify(plan, inputs, metadata, resolved)
    : { "some network that is computed": randomUUID() };
  let finished: ReadonlySet<string> = new Set();
  const stage = await stageCheckpoint(result, path, {
    ...{
      maxShardBytes: resolved.maxShardBytes,
      overwrite: resolved.overwrite,
      durable: resolved.durable,
      metadata,
    },
    goesOn: async (folder, isWhole) => {
      const journal = await takeUp(folder, { isWhole, identity, path, options: resolved });
      finished = journal ?? finished;
      return journal !== undefined;
    },
  });
  try {
    if (!stage.resumed) await beginJournal(stage.folder, identity);
    const work = { plan, stage, finished, estimate, inputs };
    const { resumedBytes, hashed } = await makePieces(work, resolved);
    const saved = await stage.publish(mergeMetadata(plan, resolved.recipe, hashed));
    return {
      ...{ ...saved, resumedBytes, tensors: countTensors(plan), threads: estimate.threads },
      seconds: (performance.now() - began) / 1000,
      peakBytes: process.resourceUsage().maxRSS * 1024,
    };
  } catch (error) {
    throw await leave(stage, error, resolved);
  }
}

type Options = Readonly<Required<SaveMergeOptions>>;

function assertOptions({ threads, memory, maxShardBytes, pieceBytes }: Options): void {
  assertWholeOptions(
    "save a merge",
    { threads: threads ?? 1, memory, pieceBytes },
    { threads: 1, memory: 1, pieceBytes: 1 },
  );
  if (maxShardBytes >= 1) return;
  throw new OutOfRangeError(
    `Cannot save a merge as maxShardBytes must be at least 1: it is ${maxShardBytes}`,
  );
}

function threadsFor(plan: MergePlan, { threads }: Options): number {
  if (threads !== undefined) return threads;
  return bytesOf(mergeByPlan(plan)) < SMALL_BYTES ? 1 : availableParallelism();
}

function bytesOf({ tensors }: Checkpoint): number {
  return [...tensors.values()].reduce((sum, info) => sum + byteLengthOf(info), 0);
}

/**
 * Returns whether a plan and its files show all that decides the result: a network that is computed, or held
 * in memory, may be another one the next time, unless a description says how it is made.
 */
function isRepeatable({ networks }: MergePlan, { source }: Options): boolean {
  return source !== undefined || networks.every(isStored);
}

/** Returns whether a network is the content of a file, or of the shards in a folder. */
function isStored({ source, files }: Checkpoint): boolean {
  return (
    files.includes(source) ||
    (files.length > 0 && files.every((file) => dirname(file) === source.replace(/(?<=.)\/+$/, "")))
  );
}

/** Names everything that decides the bytes of the result. */
async function identify(
  plan: MergePlan,
  inputs: readonly string[],
  metadata: Readonly<Record<string, string>>,
  { source, maxShardBytes, pieceBytes, durable }: Options,
): Promise<MergeIdentity> {
  const states = await statesOf([...inputs, ...(source?.files ?? [])]);
  const files = states.map(({ path, ...state }) => [`the file "${path}"`, canonicalJson(state)]);
  return {
    "the version of the program": programVersion(),
    "the plan": digestPlan(plan),
    "its description": digest(canonicalJson(source?.data ?? null)),
    "its metadata": digest(canonicalJson(metadata)),
    "the size of shards": String(maxShardBytes),
    "the size of pieces": String(pieceBytes),
    ...Object.fromEntries(files),
    ...(!durable && { "the start of the machine": startOfMachine() }),
  };
}

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

interface Continuation {
  readonly isWhole: boolean;
  readonly identity: MergeIdentity;
  readonly path: string;
  readonly options: Options;
}

/**
 * Returns the finished pieces of an interrupted merge if this merge is the same.
 * @returns undefined if it starts anew
 */
async function takeUp(
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

interface Work {
  readonly plan: MergePlan;
  readonly stage: StagedCheckpoint;
  /** Pieces that are finished. */
  readonly finished: ReadonlySet<string>;
  readonly estimate: MergeEstimate;
  /** Paths of the files that are read. */
  readonly inputs: readonly string[];
}

async function makePieces(
  { plan, stage, finished, estimate: { threads, writtenBytes: totalBytes }, inputs }: Work,
  { source, signal, onProgress, allowNonFinite, durable, hashInputs, memory, pieceBytes }: Options,
): Promise<{
  readonly resumedBytes: number;
  readonly hashed: ReadonlyMap<string, string> | undefined;
}> {
  const { folder, tensors } = stage;
  const passes = await countPasses(plan);
  const tasks = cutIntoTasks(plan, {
    threads,
    pieceBytes: Math.ceil(pieceBytes / 8) * 8,
    passes,
    isDone: (piece) => finished.has(keyOf(piece)),
  });
  const resumedBytes = totalBytes - tasks.reduce((sum, { bytes }) => sum + bytes, 0);
  const onBytes = (bytes: number): void => {
    const doneBytes = resumedBytes + bytes;
    onProgress?.({ done: totalBytes === 0 ? 1 : doneBytes / totalBytes, doneBytes, totalBytes });
  };
  const executor = createMergeExecutor(
    plan,
    { folder, tensors, allowNonFinite, durable },
    { threads, source },
  );
  const stop = new AbortController();
  const hashing = hashInputs ? hashFiles(inputs, stop.signal) : Promise.resolve(undefined);
  // Whoever waits for it below sees its failure; this keeps it from counting as unhandled until then.
  hashing.catch(() => {});
  try {
    const room = roomForSurveys(plan, { memory, threads });
    await runMergeTasks(tasks, { executor, room, folder, signal, onBytes });
    return { resumedBytes, hashed: await hashing };
  } finally {
    stop.abort();
    await executor.close();
  }
}

/** Gives the place free after a failure, and explains what stays there; returns the error to throw. */
async function leave(stage: StagedCheckpoint, error: unknown, { onNote }: Options): Promise<unknown> {
  const journal = await readJournal(stage.folder);
  if (journal === undefined || journal.finished.size === 0) {
    await stage.discard();
    return error;
  }
  await stage.close();
  const rest = `what is finished stays in "${stage.folder}": the same merge goes on from there; remove that folder to give it up`;
  onNote?.(`Interrupted; ${rest}`);
  if (!(error instanceof InputError) || !error.message.startsWith("Cannot write")) return error;
  return new InputError(`${error.message}; ${rest}`, { input: error.input, cause: error });
}

function countTensors(plan: MergePlan): MergedTensors {
  const used = plan.networks.map(() => new Set<string>());
  let merged = 0;
  for (const planned of plan.tensors.values()) {
    if (isBlended(planned)) merged++;
    for (const { network, tensor } of [...planned.sources, ...(planned.base ? [planned.base] : [])])
      at(used, network, "network").add(tensor);
  }
  const absent = plan.networks.flatMap(({ tensors }, i) =>
    [...tensors.keys()].filter((name) => !at(used, i, "network").has(name)),
  );
  return { merged, copied: plan.tensors.size - merged, absent: [...new Set(absent)] };
}
