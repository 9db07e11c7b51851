import { at, byteLengthOf, DTYPES, entry, OutOfRangeError, sizeOf, sumOf } from "@isthmus/core";
import type { MergePlan, PlannedSource, PlannedTensor } from "../merge-plan.ts";
import { surveyBytes } from "./merge-tasks.ts";
import { createPassCounter } from "./survey-passes.ts";

/** Estimate of the work and memory of a merge. */
export interface MergeEstimate {
  /** Bytes of tensors that are read, as often as surveys read them. */
  readonly readBytes: number;
  /** Bytes of tensors that are written. */
  readonly writtenBytes: number;
  /** Most memory that the process will take, in bytes. */
  readonly peakBytes: number;
  /** Number of threads that may run at once within the memory. */
  readonly threads: number;
}

/** Options of {@link estimateMerge}. */
export interface EstimateMergeOptions {
  /** Largest number of threads. @defaultValue 1 */
  readonly threads?: number;
  /** Most bytes that the process may take. @defaultValue 1 GiB */
  readonly memory?: number;
}

/** Bytes of the process with one thread at work: the program and the buffers of the thread. */
export const PROCESS_BYTES: number = 160 * 2 ** 20;

/** Bytes of each further thread, with its copy of the program. */
const THREAD_BYTES = 96 * 2 ** 20;

/** Number of elements of each network that a thread holds while it reads a tensor from end to end. */
const SCANNED = 2 ** 18;

/** Default limit of the memory of a merge, in bytes: 1 GiB. */
export const DEFAULT_MEMORY: number = 2 ** 30;

/**
 * Estimates how many bytes a merge reads, writes and holds in memory, from the plan alone: no tensor is read.
 *
 * The number of times that a survey reads its sources is measured on small tensors, see
 * {@link createPassCounter}. The memory includes the largest surveys that hold whole tensors, one for each
 * thread within the limit.
 * @throws OutOfRangeError if the limit is below the need of one thread; the message states this need
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
  surveys.sort((a, b) => b - a);
  const buffers = scanBytes(plan);
  const least = leastMemory(plan);
  if (least > memory) {
    throw new OutOfRangeError(
      `Cannot merge within ${memory} bytes of memory as it needs at least ${least}: allow that much, or choose a method that holds no whole tensors`,
    );
  }
  const room = Math.floor((memory - least) / (THREAD_BYTES + buffers));
  const threads = Math.max(1, Math.min(most, 1 + room));
  const fixed = PROCESS_BYTES + buffers + (threads - 1) * (THREAD_BYTES + buffers);
  const held = sumOf(surveys.slice(0, threads));
  return { readBytes, writtenBytes, threads, peakBytes: fixed + Math.min(held, memory - fixed) };
}

/** Returns the least memory that a merge takes with one thread, in bytes. */
export function leastMemory(plan: MergePlan): number {
  const largest = [...plan.tensors.values()].reduce(
    (most, planned) => Math.max(most, surveyBytes(planned)),
    0,
  );
  return PROCESS_BYTES + scanBytes(plan) + largest;
}

/** Estimates how often the survey of each tensor reads its sources, by the name of the tensor. */
export async function countPasses(plan: MergePlan): Promise<ReadonlyMap<string, number>> {
  const count = createPassCounter(plan);
  const passes = new Map<string, number>();
  for (const [name, planned] of plan.tensors) passes.set(name, await count(planned));
  return passes;
}

/** Returns how many bytes of memory all surveys that hold whole tensors may take together. */
export function roomForSurveys(plan: MergePlan, { memory, threads }: Required<EstimateMergeOptions>): number {
  return memory - PROCESS_BYTES - (threads - 1) * THREAD_BYTES - threads * scanBytes(plan);
}

/** Checks whether a tensor is computed from all its sources, rather than copied from one. */
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

/**
 * Returns the bytes that a thread holds while it reads a tensor of all networks from end to end: two buffers
 * in f32.
 */
function scanBytes({ tensors }: MergePlan): number {
  const counts = [...tensors.values()].map(
    ({ sources, base, info }) =>
      Math.min(SCANNED, sizeOf(info.shape)) * (sources.length + (base === undefined ? 0 : 1)),
  );
  return 8 * counts.reduce((most, count) => Math.max(most, count), 0);
}
