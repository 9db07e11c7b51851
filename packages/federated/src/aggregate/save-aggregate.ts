import {
  allocateData,
  type Checkpoint,
  DTYPES,
  defineCheckpoint,
  entry,
  fromFloat64Into,
  openPositionalFile,
  type PositionalFile,
  type StagedCheckpoint,
  stageCheckpoint,
  type TensorData,
  type TensorInfo,
} from "@isthmus/core";
import type { ClientUpdate } from "../updates/client-update.ts";
import type { AggregateOptions } from "./aggregate-options.ts";
import { type AggregateReport, reportOf } from "./aggregate-updates.ts";
import { type AggregatePlan, planAggregate } from "./plan-aggregate.ts";
import { cutRanges, type TensorRange } from "./ranges.ts";
import { runAggregate, stateTensors } from "./run-aggregate.ts";
import { stateMetadata } from "./state-record.ts";

/** Paths of the files that {@link saveAggregate} writes. */
export interface AggregateFiles {
  /** Path of the network, `x.safetensors`. */
  readonly network: string;
  /** Path of the state that the next round needs; no file is written if it needs none. */
  readonly state: string;
}

/** Result of {@link saveAggregate}: the paths of the written files, and the report. */
export interface SavedAggregate {
  /** Path of the network, as requested. */
  readonly network: string;
  /** Path of the state; undefined if no state is carried from round to round. */
  readonly state: string | undefined;
  /** Report of the round: weights, norms, privacy. */
  readonly report: AggregateReport;
}

/**
 * Aggregates the updates of one round and writes the new network range by range, so that memory does not grow
 * with the network: the same bytes that {@link aggregateUpdates} computes.
 *
 * Files are written under temporary names and renamed when both are complete.
 * @throws InputError if a path cannot be used, and in all cases of `aggregateUpdates`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCheckpoint, createTensor, openCheckpoint } from "@isthmus/core";
 * import { saveAggregate } from "@isthmus/federated";
 *
 * const network = (x: number) => createCheckpoint({ w: createTensor("f32", [1], Float32Array.of(x)) });
 * const updates = [{ client: "anna", examples: 100, network: network(1) }];
 * const files = { network: "round-1.safetensors", state: "round-1.state.safetensors" };
 * await saveAggregate(network(0), updates, files);
 * const next = await openCheckpoint(files.network);
 * assert.deepEqual((await next.read("w")).data, Float32Array.of(1));
 * await next.close();
 * ```
 */
export async function saveAggregate(
  network: Checkpoint,
  updates: readonly ClientUpdate[],
  files: AggregateFiles,
  options: AggregateOptions = {},
): Promise<SavedAggregate> {
  const plan = await planAggregate(network, updates, options);
  const stages: Stage[] = [];
  const open = async (path: string, checkpoint: Checkpoint) => {
    const stage = await openStage(path, checkpoint);
    stages.push(stage);
    return stage;
  };
  try {
    const stagedNetwork = await open(files.network, network);
    const states = stateTensors(plan);
    const stagedState =
      states.size === 0 ? undefined : await open(files.state, shapesOf(states, stateMetadata(plan.options)));
    await copyKept(plan, stagedNetwork);
    const norms = await runAggregate(plan, {
      writeNetwork: (range, values) => writeRange(stagedNetwork, range, values),
      writeState: async (range, values) => {
        if (stagedState !== undefined) await writeRange(stagedState, range, values);
      },
    });
    // The state is published first: a network without its state would be taken for a finished round.
    for (const stage of [...stages].reverse()) await publish(stage);
    return { network: files.network, state: stagedState && files.state, report: reportOf(plan, norms) };
  } catch (error) {
    for (const stage of stages) await discard(stage);
    throw error;
  }
}

/** An unfinished checkpoint, and its open files by path. */
interface Stage {
  readonly staged: StagedCheckpoint;
  readonly metadata: Readonly<Record<string, string>>;
  readonly files: Map<string, PositionalFile>;
}

async function openStage(path: string, checkpoint: Checkpoint): Promise<Stage> {
  const { metadata } = checkpoint;
  const staged = await stageCheckpoint(checkpoint, path, {
    maxShardBytes: Number.POSITIVE_INFINITY,
    overwrite: true,
    durable: true,
    metadata,
    goesOn: async () => false,
  });
  const files = new Map<string, PositionalFile>();
  const stage = { staged, metadata, files };
  try {
    for (const { path: unfinished, target } of staged.tensors.values()) {
      if (!files.has(unfinished)) files.set(unfinished, await openPositionalFile(unfinished, target));
    }
  } catch (error) {
    await discard(stage);
    throw error;
  }
  return stage;
}

async function publish({ staged, metadata, files }: Stage): Promise<void> {
  for (const file of files.values()) await file.close();
  files.clear();
  await staged.publish(metadata);
}

async function discard({ staged, files }: Stage): Promise<void> {
  for (const file of files.values()) await file.close();
  files.clear();
  await staged.discard();
}

/** Returns a checkpoint that has the shapes of tensors but no values. */
const shapesOf = (
  tensors: ReadonlyMap<string, TensorInfo>,
  metadata: Readonly<Record<string, string>>,
): Checkpoint =>
  defineCheckpoint({ source: "state of a round", tensors, metadata, readInto: async () => {} });

async function writeRange(stage: Stage, { name, begin }: TensorRange, values: Float64Array): Promise<void> {
  const { dtype } = entry(stage.staged.tensors, name, "tensor");
  const data = allocateData(dtype, values.length);
  fromFloat64Into(values, dtype, data);
  await writeElements(stage, { name, begin }, data);
}

/** Writes stored elements of a tensor from element `begin` on. */
async function writeElements(
  { staged, files }: Stage,
  { name, begin }: Pick<TensorRange, "name" | "begin">,
  data: TensorData,
): Promise<void> {
  const { dtype, path, position } = entry(staged.tensors, name, "tensor");
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  await entry(files, path, "file").write(bytes, position + begin * DTYPES[dtype].bytes);
}

/** Copies the tensors of the global network that the round keeps unchanged, bit by bit. */
async function copyKept({ network, treatments, options }: AggregatePlan, stage: Stage): Promise<void> {
  const names = [...treatments].filter(([, treatment]) => treatment === "keep").map(([name]) => name);
  for (const { name, begin, end } of cutRanges(network, names, { memory: options.memory, arrays: 2 })) {
    const data = allocateData(entry(stage.staged.tensors, name, "tensor").dtype, end - begin);
    await network.readRangeInto(name, begin, data);
    await writeElements(stage, { name, begin }, data);
  }
}
