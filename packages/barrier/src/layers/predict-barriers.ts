import {
  at,
  BATCH_SIZE_FIELD,
  type Checkpoint,
  convertData,
  DTYPES,
  entry,
  examplesField,
  type FieldsOf,
  resolveFields,
  type Tensor,
  toFloat64,
} from "@isthmus/core";
import { type Architecture, bindWeights, type DataSet } from "@isthmus/graph";
import { type Journal, openJournal } from "@isthmus/tasks";
import type { LossSpec } from "@isthmus/training";
import type { BarrierNetworks } from "../measure-barrier.ts";
import { GROUPS_FIELD } from "./group-fields.ts";
import { groupLayers, type LayerPattern, type LayerTensors } from "./group-layers.ts";
import { PREDICTED_EXAMPLES } from "./layers-options.ts";
import { createLossDerivatives, type Direction, type NetworkWeights } from "./loss-derivatives.ts";

/** Progress of {@link predictBarriers}. */
export interface PassProgress {
  /** Share of the work that is done, in `[0, 1]`. */
  readonly done: number;
  /** Passes of differentiation made so far, of `total`. */
  readonly completed: number;
  /** Number of passes to make: one for the slopes and one for each group, at each end. */
  readonly total: number;
}

/** Options of {@link predictBarriers}. */
export interface PredictBarriersOptions {
  /** Groups to form first; other tensors are grouped by layer. @defaultValue none */
  readonly groups?: readonly LayerPattern[];
  /** Number of examples, the first ones; 0 for all. @defaultValue 1000 */
  readonly examples?: number;
  /**
   * Loss that is predicted.
   * @defaultValue the loss by which networks are evaluated: cross-entropy, for texts of the next token
   */
  readonly loss?: LossSpec | undefined;
  /** Number of examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
  /** Signal that stops the passes. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /** Called after every pass over the examples. */
  readonly onProgress?: ((progress: PassProgress) => void) | undefined;
}

const ATTEMPT = "predict barriers";

type PredictedChoice = Pick<PredictBarriersOptions, "groups" | "examples" | "batchSize">;
type PredictedRun = Omit<PredictBarriersOptions, keyof PredictedChoice>;

const FIELDS: FieldsOf<PredictedChoice> = {
  groups: GROUPS_FIELD,
  examples: examplesField({
    least: 0,
    default: PREDICTED_EXAMPLES,
    help: "number of examples, the first ones; 0 for all",
  }),
  batchSize: BATCH_SIZE_FIELD,
};

const RUN_DEFAULTS: Required<PredictedRun> = { loss: undefined, signal: undefined, onProgress: undefined };

/** Second-order expansion of the loss around one network. */
export interface LossExpansion {
  /** Network around which the loss is expanded. */
  readonly network: "a" | "b";
  /** Mean loss of this network over the examples, in nats. */
  readonly loss: number;
  /** Derivatives of the loss along the difference from A to B in each group, `[groups]`, in nats. */
  readonly slopes: readonly number[];
  /**
   * Curvatures `d_g' H d_h` for all pairs of groups, `[groups][groups]`, in nats; `d_g` is the difference in
   * group `g`.
   */
  readonly curvatures: readonly (readonly number[])[];
}

/** Result of {@link predictBarriers}. */
export interface PredictBarriersResult {
  /** Groups of tensors, in the order in which the network uses them. */
  readonly groups: readonly LayerTensors[];
  /** Expansions at A, then at B. */
  readonly ends: readonly [LossExpansion, LossExpansion];
  /** Number of examples that the loss was taken over. */
  readonly examples: number;
}

/**
 * Expands the loss to second order at both networks, in the directions from A to B, whole and group by group.
 * It computes gradients of the mean loss over some examples, and products with its Hessian, for networks in
 * inference mode. Running statistics move like weights, as on a path with the policy `keep` for statistics.
 *
 * `predictRise` predicts barriers from the expansions.
 * @throws MismatchError if a checkpoint does not fit the graph
 * @throws UnsupportedError if an operator has no gradient rule; it names the node
 * @throws OutOfRangeError if an option is out of range
 * @see Singh et al., Landscaping linear mode connectivity, 2024, which predicts barriers by curvatures along
 *   the path
 */
export async function predictBarriers(
  { graph, engine }: Architecture,
  [a, b]: readonly [Checkpoint, Checkpoint],
  data: DataSet,
  options: PredictBarriersOptions = {},
): Promise<PredictBarriersResult> {
  const resolved = resolveFields<PredictedChoice, PredictedRun>(ATTEMPT, FIELDS, options, RUN_DEFAULTS);
  const { groups: patterns, examples } = resolved;
  const groups = groupLayers(graph, patterns);
  const task = { graph, engine, a, b, data, groups, journal: await openJournal(undefined, {}) };
  const count = examples === 0 ? data.size : Math.min(examples, data.size);
  const ends = await expandEnds(task, { ...resolved, examples: count });
  return { groups, ends, examples: count };
}

/** Two networks, their groups, and the journal of the passes made. */
export interface ExpansionTask extends BarrierNetworks {
  /** Groups of tensors along which the loss is expanded. */
  readonly groups: readonly LayerTensors[];
  /** Journal of the passes made so far. */
  readonly journal: Journal;
}

const slopesKey = (network: string) => `slopes at ${network}`;
const curvaturesKey = (network: string, group: number) => `curvatures at ${network} of ${group}`;

/** Lists the keys in the journal of all passes over the examples. */
export function expansionKeys(groups: number): string[] {
  return ["a", "b"].flatMap((network) => [
    slopesKey(network),
    ...Array.from({ length: groups }, (_, group) => curvaturesKey(network, group)),
  ]);
}

/** Expands the loss at both ends, see {@link predictBarriers}. */
export async function expandEnds(
  { graph, engine, a, b, data, groups, journal }: ExpansionTask,
  {
    examples,
    loss,
    batchSize,
    signal,
    onProgress,
  }: Readonly<Required<Omit<PredictBarriersOptions, "groups">>>,
): Promise<[LossExpansion, LossExpansion]> {
  const [from, to] = await Promise.all([bindWeights(graph, a), bindWeights(graph, b)]);
  const directions = groups.map(({ tensors }) => directionOf(from, to, tensors));
  const names = directions.flatMap((direction) => [...direction.keys()]);
  const total = expansionKeys(groups.length).length;
  let completed = 0;
  const derivatives = await createLossDerivatives({
    graph,
    engine,
    data,
    loss,
    names,
    examples,
    batchSize,
    signal,
  });
  const pass = (key: string, compute: () => Promise<number[]>): Promise<readonly number[]> =>
    journal.get(key, async () => {
      const numbers = await compute();
      completed += 1;
      onProgress?.({ done: completed / total, completed, total });
      return numbers;
    });
  const expand = async (network: "a" | "b", weights: NetworkWeights): Promise<LossExpansion> => {
    const slopesPass = () => derivatives.slopes(weights, directions);
    const numbers = await pass(slopesKey(network), slopesPass);
    const curvatures: (readonly number[])[] = [];
    for (const [group, direction] of directions.entries()) {
      const rowPass = () => derivatives.curvatures(weights, direction, directions);
      curvatures.push(await pass(curvaturesKey(network, group), rowPass));
    }
    return { network, loss: at(numbers, 0, "slope"), slopes: numbers.slice(1), curvatures };
  };
  try {
    return [await expand("a", from), await expand("b", to)];
  } finally {
    await derivatives.release();
  }
}

/** Computes the difference of two networks in some tensors, leaving out integer tensors. */
function directionOf(from: NetworkWeights, to: NetworkWeights, names: readonly string[]): Direction {
  const direction = new Map<string, Tensor>();
  for (const name of names) {
    const [start, end] = [entry(from, name, "weight"), entry(to, name, "weight")];
    if (!DTYPES[start.dtype].float) continue;
    const values = toFloat64(end.data, end.dtype);
    const origin = toFloat64(start.data, start.dtype);
    const difference = values.map((value, i) => value - (origin[i] as number));
    direction.set(name, { ...start, data: convertData(difference, "f64", start.dtype) });
  }
  return direction;
}
