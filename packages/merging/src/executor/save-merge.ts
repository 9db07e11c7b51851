import {
  at,
  byteLengthOf,
  type Checkpoint,
  encodedTogether,
  entry,
  InputError,
  type LayOutOptions,
  peakMemory,
  resolveOptions,
  type StagedCheckpoint,
  stageCheckpoint,
  sumOf,
} from "@isthmus/core";
import { availableParallelism } from "@isthmus/platform";
import { type MergePlan, mergeByPlan } from "../merge-plan.ts";
import {
  countPasses,
  estimateMerge,
  isBlended,
  type MergeEstimate,
  roomForSurveys,
} from "./estimate-merge.ts";
import { createMergeExecutor, runMergeTasks } from "./merge-executor.ts";
import { identify, takeUp } from "./merge-identity.ts";
import { beginJournal, digestIdentity, keyOf, readJournal } from "./merge-journal.ts";
import { type CutOptions, cutIntoTasks, type MergedPiece, type MergeTask } from "./merge-tasks.ts";
import { hashFiles, mergeMetadata } from "./provenance.ts";
import { joinTasks, REMOTE_BYTES, REMOTE_PARTS } from "./remote-merge.ts";
import {
  assertOptions,
  type ResolvedOptions,
  SAVE_MERGE_DEFAULTS,
  type SaveMergeOptions,
} from "./save-merge-options.ts";

/** Counts of the tensors of a merge, and tensors that it does not use. */
export interface MergedTensors {
  /** Number of tensors that a method computed. */
  readonly merged: number;
  /** Number of tensors that were copied from one network. */
  readonly copied: number;
  /** Names of tensors of the networks from which no tensor of the result is made. */
  readonly absent: readonly string[];
}

/** Result of {@link saveMerge}. */
export interface SaveMergeResult {
  /** Path by which the checkpoint is opened. */
  readonly path: string;
  /** Paths of all files, the index last. */
  readonly files: readonly string[];
  /** Bytes of all files. */
  readonly bytes: number;
  /** Bytes of tensors that an interrupted merge had finished. */
  readonly resumedBytes: number;
  /** Counts of the tensors that were merged, copied and left out. */
  readonly tensors: MergedTensors;
  /** Number of tasks that were run at once. */
  readonly threads: number;
  /** Seconds of wall clock that the merge took. */
  readonly seconds: number;
  /** Most memory that the process has taken since it started, in bytes. */
  readonly peakBytes: number;
}

/** Bytes of a result below which threads take longer to start than they save. */
const SMALL_BYTES = 64e6;

/**
 * Makes a merge and saves it as safetensors or in another form, by several threads, within a limit of memory.
 *
 * Pieces of tensors are written in any order into hidden files, which get their names once all are complete.
 * A journal lists the finished pieces: if the process is killed, the disk is full, or the signal is aborted,
 * the same call resumes the merge. If the plan or a file has changed meanwhile, the merge starts from the
 * beginning, and `onNote` gets the reason. The bytes depend on the plan alone, not on threads, memory or
 * interruptions.
 *
 * @param path - path of the result, see `saveCheckpoint`
 * @throws InputError if the path cannot be used, the disk is full, or a number is not finite
 * @throws OutOfRangeError if the limit of memory is too low; the message states the need
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
  const inputs = [...new Set(plan.networks.flatMap(({ files }) => files))];
  const hashes = resolved.hashInputs ? new Map<string, string>() : undefined;
  const metadata = mergeMetadata(plan, resolved, hashes);
  resolved.onStart?.({ ...estimate, ...(await encodedSize(result, path, { ...resolved, metadata })) });
  const identity = await identify(plan, inputs, metadata, resolved);
  let finished: ReadonlySet<string> = new Set();
  const stage = await stageCheckpoint(result, path, {
    maxShardBytes: resolved.maxShardBytes,
    overwrite: resolved.overwrite,
    durable: resolved.durable,
    metadata,
    form: resolved.form,
    goesOn: async (folder, isWhole) => {
      const journal = await takeUp(folder, { isWhole, identity, path, options: resolved });
      finished = journal ?? finished;
      return journal !== undefined;
    },
  });
  try {
    if (!stage.resumed) await beginJournal(stage.folder, identity);
    const work = { plan, stage, finished, estimate, inputs, run: digestIdentity(identity) };
    const { resumedBytes, hashed } = await makePieces(work, resolved);
    const saved = await stage.publish(mergeMetadata(plan, resolved, hashed));
    return {
      ...saved,
      resumedBytes,
      tensors: countTensors(plan),
      threads: estimate.threads,
      seconds: (performance.now() - began) / 1000,
      peakBytes: peakMemory(),
    };
  } catch (error) {
    throw await leave(stage, error, resolved);
  }
}

/** Returns the bytes of the files if these hold the tensors in other types than the merge makes. */
async function encodedSize(
  { tensors, files }: Checkpoint,
  path: string,
  { form, ...options }: ResolvedOptions & LayOutOptions,
): Promise<Partial<MergeEstimate>> {
  if (form === undefined) return {};
  const { shards } = form.layOut(tensors, await form.placeOf(path, files), options);
  return { writtenBytes: sumOf(shards.map(({ layout }) => layout.size)) };
}

function threadsFor(plan: MergePlan, { threads }: ResolvedOptions): number {
  if (threads !== undefined) return threads;
  return bytesOf(mergeByPlan(plan)) < SMALL_BYTES ? 1 : availableParallelism();
}

function bytesOf({ tensors }: Checkpoint): number {
  return [...tensors.values()].reduce((sum, info) => sum + byteLengthOf(info), 0);
}

interface Work {
  readonly plan: MergePlan;
  readonly stage: StagedCheckpoint;
  /** Keys of the finished pieces. */
  readonly finished: ReadonlySet<string>;
  readonly estimate: MergeEstimate;
  /** Paths of the files from which the networks are read. */
  readonly inputs: readonly string[];
  /** Digest of the identity of the merge. */
  readonly run: string;
}

async function makePieces(
  { plan, stage, finished, estimate: { threads, writtenBytes: totalBytes }, inputs, run }: Work,
  options: ResolvedOptions,
): Promise<{
  readonly resumedBytes: number;
  readonly hashed: ReadonlyMap<string, string> | undefined;
}> {
  const { source, openExecutor, signal, onProgress, allowNonFinite, durable, hashInputs, memory } = options;
  const { folder, tensors } = stage;
  const togetherOf = (name: string): number => encodedTogether(entry(tensors, name, "tensor"));
  const tasks = await cutPlan(plan, { threads, finished, togetherOf }, options);
  const resumedBytes = totalBytes - tasks.reduce((sum, { bytes }) => sum + bytes, 0);
  const onBytes = (bytes: number): void => {
    const doneBytes = resumedBytes + bytes;
    onProgress?.({ done: totalBytes === 0 ? 1 : doneBytes / totalBytes, doneBytes, totalBytes });
  };
  const executor = await createMergeExecutor(
    plan,
    { folder, tensors, allowNonFinite, durable },
    { threads, source, openExecutor, run },
  );
  const stop = new AbortController();
  const hashing = hashInputs ? hashFiles(inputs, stop.signal) : Promise.resolve(undefined);
  // Whoever waits for it below sees its failure; this keeps it from counting as unhandled until then.
  hashing.catch(() => {});
  try {
    // Other machines have memory of their own.
    const room = executor.isRemote ? Number.POSITIVE_INFINITY : roomForSurveys(plan, { memory, threads });
    await runMergeTasks(tasks, { executor, room, folder, signal, onBytes });
    await executor.finish();
    return { resumedBytes, hashed: await hashing };
  } finally {
    stop.abort();
    await executor.close();
  }
}

/** Cuts the unfinished part of a plan into tasks. */
async function cutPlan(
  plan: MergePlan,
  { threads, finished, togetherOf }: Pick<Work, "finished"> & Pick<CutOptions, "threads" | "togetherOf">,
  { pieceBytes, openExecutor }: ResolvedOptions,
): Promise<readonly MergeTask[]> {
  const passes = await countPasses(plan);
  const isDone = (piece: MergedPiece): boolean => finished.has(keyOf(piece));
  const whole = { passes, pieceBytes: Math.ceil(pieceBytes / 8) * 8, togetherOf };
  if (openExecutor === undefined) return cutIntoTasks(plan, { ...whole, threads, isDone });
  // A resumed merge has the same tasks as before, of which other machines may have finished some.
  const all = cutIntoTasks(plan, { ...whole, threads: REMOTE_PARTS, isDone: () => false });
  return joinTasks(all, REMOTE_BYTES).filter(({ pieces }) => !pieces.every(isDone));
}

/**
 * Releases the place of the result after a failure. Finished pieces are kept, and `onNote` names their
 * folder. Returns the error to throw.
 */
async function leave(stage: StagedCheckpoint, error: unknown, { onNote }: ResolvedOptions): Promise<unknown> {
  const journal = await readJournal(stage.folder);
  if (journal === undefined || journal.finished.size === 0 || isRefusal(error)) {
    await stage.discard();
    return error;
  }
  await stage.close();
  const rest = `what is finished stays in "${stage.folder}": the same merge goes on from there; remove that folder to give it up`;
  onNote?.(`Interrupted; ${rest}`);
  if (!(error instanceof InputError) || !error.message.startsWith("Cannot write")) return error;
  return new InputError(`${error.message}; ${rest}`, { input: error.input, cause: error });
}

/**
 * Checks whether the numbers of the result were refused. The same merge would be refused again, and a merge
 * with other inputs, or with `allowNonFinite`, starts from the beginning.
 */
function isRefusal(error: unknown): boolean {
  return error instanceof InputError && error.message.startsWith("Cannot save");
}

function countTensors(plan: MergePlan): MergedTensors {
  const used = plan.networks.map(() => new Set<string>());
  let merged = 0;
  for (const planned of plan.tensors.values()) {
    if (isBlended(planned)) merged++;
    const { sources, base, measured = [] } = planned;
    for (const { network, tensor } of [...sources, ...(base ? [base] : []), ...measured])
      at(used, network, "network").add(tensor);
  }
  const absent = plan.networks.flatMap(({ tensors }, i) =>
    [...tensors.keys()].filter((name) => !at(used, i, "network").has(name)),
  );
  return { merged, copied: plan.tensors.size - merged, absent: [...new Set(absent)] };
}
