import { assertWholeOptions, type Checkpoint, DTYPES, resolveOptions, UsageError } from "@isthmus/core";
import { withCommonNames } from "@isthmus/graph";
import { type ComparedArchitecture, type MeasuredGain, measureAlignmentGain } from "./alignment-gain.ts";
import { comparePair } from "./compare-pair.ts";
import type { NetworkComparison, PairComparison } from "./comparison.ts";
import type { ModelFacts } from "./model-facts.ts";
import { collectTraits } from "./network-traits.ts";
import { matrixShape, shareBlocks, shareBudget } from "./sample-rows.ts";
import { type SurveyedTensor, type SurveyOptions, surveyTensor, type TensorSurvey } from "./survey-tensor.ts";
import { measureTaskVectors } from "./task-vectors.ts";

/** Progress of a comparison. */
export interface CompareProgress {
  /** Share of the whole, in `[0, 1]`. */
  readonly done: number;
  /** Work under way: reading samples, comparing pairs, or aligning a pair. */
  readonly phase: "reading" | "comparing" | "aligning";
}

/** Options of {@link compareNetworks}. */
export interface CompareNetworksOptions {
  /** Network that the others were fine-tuned from. @defaultValue the base is searched among the networks */
  readonly base?: Checkpoint | undefined;
  /**
   * Most elements of each network that are read, at least 1; small networks are read whole. @defaultValue
   * 2^23
   */
  readonly sample?: number;
  /**
   * Most elements of each network that are read in addition to find rows that have moved, if tensors of two
   * networks have nothing in common; 0 for no search. @defaultValue 2^27
   */
  readonly search?: number;
  /** Seed of the sample. @defaultValue 0 */
  readonly seed?: number;
  /**
   * Architecture of the networks, with the networks and then the base bound to it. @defaultValue no
   * architecture, so that no alignment is tried
   */
  readonly architecture?: ComparedArchitecture | undefined;
  /** Facts from the files beside each network, then from those beside the base. @defaultValue no facts */
  readonly facts?: readonly (ModelFacts | null)[];
  /** Signal that stops the comparison. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /**
   * Called as tensors are read and pairs are compared, and once at the end.
   * @defaultValue nothing is called
   */
  readonly onProgress?: ((progress: CompareProgress) => void) | undefined;
}

/** Defaults of {@link compareNetworks}. */
export const COMPARE_NETWORKS_DEFAULTS: Required<CompareNetworksOptions> = {
  base: undefined,
  sample: 2 ** 23,
  search: 2 ** 27,
  seed: 0,
  architecture: undefined,
  facts: [],
  signal: undefined,
  onProgress: undefined,
};

/** Number of tensors that are read at a time. */
const AT_ONCE = 4;

/**
 * Compares networks before they are merged: names and shapes, norms, distances and angles of every pair, and
 * signs of reordered units or tokens, of quantisation and of numbers that are not finite.
 *
 * Only a sample of each tensor of a large network is read, so that the time is bounded for any size.
 * `judgeMerge` says what the numbers mean.
 *
 * @param checkpoints - at least two networks, whose tensors may have any names and shapes; if the names of a
 *   network differ from the names of the first by a prefix only, it is compared under the names of the first
 * @throws UsageError if there are fewer than two networks
 * @throws OutOfRangeError if an option is out of its range
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openCheckpoint } from "@isthmus/core";
 * import { compareNetworks, judgeMerge } from "@isthmus/recipe";
 *
 * const a = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
 * const b = await openCheckpoint("examples/mnist-mlp/s1.safetensors");
 * const { verdict } = judgeMerge(await compareNetworks([a, b]));
 * assert.equal(verdict, "different seed");
 * await Promise.all([a.close(), b.close()]);
 * ```
 */
export async function compareNetworks(
  checkpoints: readonly Checkpoint[],
  options: CompareNetworksOptions = {},
): Promise<NetworkComparison> {
  const resolved = resolveOptions("compare networks", COMPARE_NETWORKS_DEFAULTS, options);
  const { base, sample, search, seed, facts, signal, onProgress } = resolved;
  assertWholeOptions("compare networks", resolved, { sample: 1, search: 0, seed: 0 });
  const networks = withCommonNames(base === undefined ? checkpoints : [...checkpoints, base]);
  if (networks.length < 2) {
    throw new UsageError(`Cannot compare networks as there must be at least two: got ${networks.length}`);
  }
  const position = base === undefined ? null : checkpoints.length;
  const surveys = await surveyAll(networks, { most: sample, seed, base: position, signal }, (done) =>
    onProgress?.({ done: done / 2, phase: "reading" }),
  );
  const positions = listPairs(networks.length);
  const pairs: PairComparison[] = [];
  let measured: MeasuredGain | undefined;
  for (const [i, [a, b]] of positions.entries()) {
    signal?.throwIfAborted();
    onProgress?.({ done: (1 + i / positions.length) / 2, phase: "comparing" });
    const pair = await comparePair(networks, { a, b, surveys, search, seed });
    measured = await alignPair(pair, resolved, measured);
    pairs.push(measured === undefined ? pair : { ...pair, alignment: measured.gain });
  }
  const traits = await Promise.all(
    networks.map((network, i) => collectTraits(network, i, { surveys, facts: facts[i] ?? null })),
  );
  onProgress?.({ done: 1, phase: "comparing" });
  return {
    kind: "comparison",
    networks: traits,
    base: position,
    pairs,
    taskVectors: measureTaskVectors({ networks: traits, base: position, surveys, pairs }),
    sampled: sampledShare(surveys),
    seed,
  };
}

async function alignPair(
  { a, b, identical }: PairComparison,
  { architecture, seed, signal, onProgress }: Required<CompareNetworksOptions>,
  last: MeasuredGain | undefined,
): Promise<MeasuredGain | undefined> {
  if (architecture === undefined || identical) return undefined;
  onProgress?.({ done: 0.5, phase: "aligning" });
  return measureAlignmentGain(architecture, [a, b], { seed, signal, symmetries: last?.symmetries });
}

function listPairs(count: number): (readonly [number, number])[] {
  return Array.from({ length: count }, (_, a) =>
    Array.from({ length: count - a - 1 }, (_, k) => [a, a + 1 + k] as const),
  ).flat();
}

async function surveyAll(
  networks: readonly Checkpoint[],
  {
    most,
    seed,
    base,
    signal,
  }: Pick<SurveyOptions, "most" | "seed" | "base"> & { readonly signal: AbortSignal | undefined },
  onDone: (share: number) => void,
): Promise<TensorSurvey[]> {
  const tensors = listTensors(networks);
  const share = shareBudget(
    tensors.map(({ matrix: { rows, columns } }) => rows * columns),
    most,
  );
  const surveys: TensorSurvey[] = [];
  for (let begin = 0; begin < tensors.length; begin += AT_ONCE) {
    signal?.throwIfAborted();
    const some = tensors.slice(begin, begin + AT_ONCE);
    const options = { most: Math.max(share, 1), blocks: shareBlocks(tensors.length), seed, base };
    surveys.push(...(await Promise.all(some.map((tensor) => surveyTensor(networks, tensor, options)))));
    onDone(Math.min(1, (begin + AT_ONCE) / tensors.length));
  }
  return surveys;
}

/**
 * Lists the tensors of all networks. Tensors of one name whose rows are equally long are grouped, even if
 * their numbers of rows differ.
 */
function listTensors(networks: readonly Checkpoint[]): SurveyedTensor[] {
  const groups = new Map<string, { name: string; rows: number; columns: number; members: number[] }>();
  for (const [member, { tensors }] of networks.entries()) {
    for (const [name, { shape, dtype }] of tensors) {
      const { rows, columns } = matrixShape(shape);
      const key = JSON.stringify([name, columns, shape.length, DTYPES[dtype].float]);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { name, rows, columns, members: [member] });
      else {
        group.members.push(member);
        group.rows = Math.min(group.rows, rows);
      }
    }
  }
  return [...groups.values()].map(({ name, rows, columns, members }) => ({
    name,
    members,
    matrix: { rows, columns },
  }));
}

function sampledShare(surveys: readonly TensorSurvey[]): number {
  const [read, all] = surveys.reduce(
    ([elements, total], { size, sampled }) => [elements + size * sampled, total + size],
    [0, 0],
  );
  return all === 0 ? 1 : read / all;
}
