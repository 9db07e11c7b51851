import {
  allocateData,
  at,
  type Checkpoint,
  DTYPES,
  openCheckpoint,
  sameShape,
  sizeOf,
  type TensorData,
  type TensorInfo,
  UnsupportedError,
  viewBytes,
} from "@isthmus/core";
import { compareBytes } from "@isthmus/platform";
import { mergeByPlan } from "../merge-plan.ts";
import type { OpenedMerge } from "./merge-source.ts";
import { hashFiles, type MergeProvenance, readProvenance } from "./provenance.ts";

/** A tensor that differs from the repeated merge. */
export interface TensorDeviation {
  /** Name of the tensor that differs. */
  readonly tensor: string;
  /** Description of the difference, for messages. */
  readonly reason: string;
  /**
   * Position of the first element that differs, in row-major order; missing if names, shapes or types differ.
   */
  readonly element?: number;
}

/** Result of {@link verifyMerge}. */
export interface VerifyMergeResult {
  /** Whether every tensor equals the repeated merge, and no input has changed. */
  readonly ok: boolean;
  /** Record of the merge from the metadata of the checkpoint. */
  readonly provenance: MergeProvenance;
  /** Number of tensors that are equal, bit for bit. */
  readonly same: number;
  /** Tensors that differ, or exist on one side only. */
  readonly deviations: readonly TensorDeviation[];
  /** Names of input files whose content has changed since the merge; empty if the metadata have no hashes. */
  readonly changedInputs: readonly string[];
}

/** Options of {@link verifyMerge}. */
export interface VerifyMergeOptions {
  /** Signal that stops the work. @defaultValue none */
  readonly signal?: AbortSignal | undefined;
  /** Called with the share of the tensors that were compared, in `[0, 1]`. */
  readonly onProgress?: ((progress: { readonly done: number }) => void) | undefined;
}

/** Number of elements that are compared at a time. */
const COMPARED = 2 ** 17;

/**
 * Repeats a merge that `saveMerge` has written, and compares the tensors with the file bit for bit; writes
 * nothing.
 * @param open - finds and opens the inputs, and makes the plan from the record in the metadata
 * @throws FormatError if the metadata of the checkpoint have no record of a merge
 * @throws UnsupportedError if tensors of the file are quantised
 */
export async function verifyMerge(
  path: string,
  open: (provenance: MergeProvenance) => Promise<OpenedMerge>,
  { signal, onProgress }: VerifyMergeOptions = {},
): Promise<VerifyMergeResult> {
  await using checkpoint = await openCheckpoint(path);
  const provenance = readProvenance(checkpoint);
  assertNumbers(checkpoint);
  const { plan, close } = await open(provenance);
  try {
    const again = mergeByPlan(plan);
    const names = [...new Set([...again.tensors.keys(), ...checkpoint.tensors.keys()])];
    const deviations: TensorDeviation[] = [];
    for (const [i, name] of names.entries()) {
      signal?.throwIfAborted();
      const deviation = await compareTensor(name, checkpoint, again);
      if (deviation !== undefined) deviations.push({ tensor: name, ...deviation });
      onProgress?.({ done: (i + 1) / names.length });
    }
    const changedInputs = await findChanged(provenance, plan.networks, signal);
    const ok = deviations.length === 0 && changedInputs.length === 0;
    return { ok, provenance, same: names.length - deviations.length, deviations, changedInputs };
  } finally {
    await close();
  }
}

function assertNumbers({ source, tensors }: Checkpoint): void {
  const [quantized] = [...tensors].filter(([, { stored }]) => stored !== undefined);
  if (quantized === undefined) return;
  const [name, { stored }] = quantized;
  throw new UnsupportedError(
    `Cannot verify "${source}" as its tensors must hold the numbers that the merge makes: "${name}" is ${stored}; verify the same merge written as safetensors`,
    { feature: "quantised tensors" },
  );
}

async function compareTensor(
  name: string,
  saved: Checkpoint,
  again: Checkpoint,
): Promise<Omit<TensorDeviation, "tensor"> | undefined> {
  const info = saved.tensors.get(name);
  const expected = again.tensors.get(name);
  if (info === undefined) return { reason: "the file lacks it" };
  if (expected === undefined) return { reason: "the merge has none of that name" };
  if (info.dtype !== expected.dtype || !sameShape(info.shape, expected.shape))
    return { reason: `it is ${formatInfo(info)} in the file, and ${formatInfo(expected)} when made again` };
  const size = sizeOf(info.shape);
  for (let begin = 0; begin < size; begin += COMPARED) {
    const length = Math.min(COMPARED, size - begin);
    const [a, b] = [allocateData(info.dtype, length), allocateData(info.dtype, length)];
    await saved.readRangeInto(name, begin, a);
    await again.readRangeInto(name, begin, b);
    const byte = firstDifference(a, b);
    if (byte < 0) continue;
    const element = begin + Math.floor(byte / DTYPES[info.dtype].bytes);
    const [x, y] = [a, b].map((data) => String(at(data as ArrayLike<number>, element - begin)));
    return { reason: `element ${element} is stored as ${x}, and as ${y} when made again`, element };
  }
  return undefined;
}

const formatInfo = ({ dtype, shape }: TensorInfo): string => `${dtype} [${shape.join(", ")}]`;

/** Returns the position of the first byte that differs; -1 if all are equal. */
function firstDifference(a: TensorData, b: TensorData): number {
  const [x, y] = [viewBytes(a), viewBytes(b)];
  if (compareBytes(x, y) === 0) return -1;
  return x.findIndex((byte, i) => byte !== y[i]);
}

/** Computes the hashes of the input files again, and lists the files whose stored hash differs. */
async function findChanged(
  { inputs }: MergeProvenance,
  networks: readonly Checkpoint[],
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const stored = inputs.flatMap(({ files }) => files);
  if (!stored.some(({ sha256 }) => sha256 !== undefined)) return [];
  const paths = networks.flatMap(({ files }) => files);
  const hashes = await hashFiles(paths, signal);
  return stored
    .filter(({ sha256 }, i) => {
      const path = paths[i];
      return sha256 !== undefined && (path === undefined || hashes.get(path) !== sha256);
    })
    .map(({ name }) => name);
}
