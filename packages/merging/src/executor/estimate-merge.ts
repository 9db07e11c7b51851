import { at, byteLengthOf, DTYPES, entry, OutOfRangeError, sizeOf } from "@isthmus/core";
import type { MergePlan, PlannedSource, PlannedTensor } from "../merge-plan.ts";
import { surveyBytes } from "./merge-tasks.ts";
import { createPassCounter } from "./survey-passes.ts";

/** What a merge will take, before it starts. */
export interface MergeEstimate {
  /** Bytes of tensors that are read, as often as surveys read them. */
  readonly readBytes: number;
  /** Bytes of tensors that are written. */
  readonly writtenBytes: number;
  /** Most memory that the process will take, in bytes. */
  readonly peakBytes: number;
  /** Threads that run at once within the memory. */
  readonly threads: number;
}

/** What an estimate depends on beside the plan. */
export interface EstimateMergeOptions {
  /** Most threads. @defaultValue 1 */
  readonly threads?: number;
  /** Most bytes that the process may take. @defaultValue 1 GiB */
  readonly memory?: number;
}

/** Bytes that the process takes with one thread at work: the program itself and the buffers of the thread. */
const PROCESS_BYTES = 160 * 2 ** 20;

/** Bytes that each further thread takes with its own copy of the program. */
const THREAD_BYTES = 96 * 2 ** 20;

/** Elements of each network that a thread holds while it reads a tensor from end to end. */
const SCANNED = 2 ** 18;

/** Memory that a merge may take where nothing else is said: 1 GiB. */
export const DEFAULT_MEMORY: number = 2 ** 30;

/**
 * Estimates what a merge reads, writes and holds, from the plan alone: no tensor is read.
 *
 * How often surveys read is tried out on small tensors, see {@link createPassCounter}; memory counts the
 * largest surveys that hold whole tensors, one a thread as far as the limit allows.
 * @throws OutOfRangeError if the limit is below what one thread needs; the message says how much that is
 */
export async function estimateMerge(
  plan: MergePlan,
  { threads: most = 1, memory = DEFAULT_MEMORY }: EstimateMergeOptions = {},
): Promise<MergeEstimate> {
  const passes = await countPasses(plan);
  let readBytes = 0;
  let writtenBytes = 0;
  const surveys: number[] = [];
  for (const [name, planned] of plan.tensors) {
    writtenBytes += byteLengthOf(planned.info);
    readBytes += sourceBytes(plan, planned) * (isBlended(planned) ? 1 + entry(passes, name, "tensor") : 1);
    surveys.push(surveyBytes(planned));
  }
  const [largest = 0] = surveys.sort((a, b) => b - a);
  const buffers = scanBytes(plan);
  const least = PROCESS_BYTES + buffers + largest;
  if (least > memory) {
    throw new OutOfRangeError(
      `Cannot merge within ${memory} bytes of memory as it needs at least ${least}: allow that much, or choose a method that holds no whole tensors`,
    );
  }
  const room = Math.floor((memory - least) / (THREAD_BYTES + buffers));
  const threads = Math.max(1, Math.min(most, 1 + room));
  const fixed = PROCESS_BYTES + buffers + (threads - 1) * (THREAD_BYTES + buffers);
  const held = surveys.slice(0, threads).reduce((sum, bytes) => sum + bytes, 0);
  return { readBytes, writtenBytes, threads, peakBytes: fixed + Math.min(held, memory - fixed) };
}

/** Finds out how often the survey of each tensor reads its sources, by name. */
export async function countPasses(plan: MergePlan): Promise<ReadonlyMap<string, number>> {
  const count = createPassCounter(plan);
  const passes = new Map<string, number>();
  for (const [name, planned] of plan.tensors) passes.set(name, await count(planned));
  return passes;
}

/** Returns the bytes of memory that surveys which hold whole tensors may take together. */
export function roomForSurveys(plan: MergePlan, { memory, threads }: Required<EstimateMergeOptions>): number {
  return memory - PROCESS_BYTES - (threads - 1) * THREAD_BYTES - threads * scanBytes(plan);
}

/** Returns whether a tensor is computed from all its sources, rather than copied from one. */
export function isBlended({ method, info }: PlannedTensor): boolean {
  return method !== undefined && DTYPES[info.dtype].float;
}

function sourceBytes(
  { networks }: MergePlan,
  { sources, base, measured = [], ...planned }: PlannedTensor,
): number {
  const bytesOf = ({ network, tensor }: PlannedSource): number =>
    byteLengthOf(entry(at(networks, network, "network").tensors, tensor, "tensor"));
  if (!isBlended({ sources, ...planned })) return bytesOf(sources[0]);
  const all = [...sources, ...(base === undefined ? [] : [base]), ...measured];
  return all.reduce((sum, source) => sum + bytesOf(source), 0);
}

/** Bytes that a thread holds while it reads a tensor of all networks from end to end: in f32, twice. */
function scanBytes({ tensors }: MergePlan): number {
  const counts = [...tensors.values()].map(
    ({ sources, base, info }) =>
      Math.min(SCANNED, sizeOf(info.shape)) * (sources.length + (base === undefined ? 0 : 1)),
  );
  return 8 * counts.reduce((most, count) => Math.max(most, count), 0);
}
