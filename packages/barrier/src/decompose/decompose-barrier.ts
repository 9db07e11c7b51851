import type { Checkpoint } from "@isthmus/core";
import { type Architecture, type DataSet, type Graph, lossFields, scoreBy } from "@isthmus/graph";
import { chooseStatistics } from "@isthmus/statistics";
import { bindNetwork } from "../bind-network.ts";
import { type CorrectedEvaluation, createCorrectedEvaluator } from "../create-corrected-evaluator.ts";
import type { BarrierDecomposition, LossAndError, PartExcess } from "../decomposition-result.ts";
import type { Shares } from "../layers/cut-points.ts";
import { evaluateMixture } from "../layers/evaluate-mixture.ts";
import { countElements, groupLayers, type LayerTensors } from "../layers/group-layers.ts";
import { pairOrigin } from "../pair-origin.ts";
import { DECOMPOSE, type DecomposeBarrierOptions, resolveDecomposeOptions } from "./decompose-options.ts";
import { excessByExample } from "./excess-by-example.ts";

/** Number of networks with the same share of B in all parts: A, B and the midpoint. */
const WHOLE_NETWORKS = 3;
/**
 * Number of networks for each part, in which only this part differs: half-way in A and in B; and as in A and
 * as in B in the midpoint.
 */
const NETWORKS_OF_PART = 4;

/**
 * Decomposes the barrier half-way between two networks: into the contributions of parts of the network, and
 * of examples. It needs forward passes only: three, and four for each part.
 *
 * Each part is averaged alone, with the rest of A and with the rest of B, and taken back alone from the
 * average of all, to A and to B. All networks use the same examples in the same order, so that their losses
 * can be compared example by example. A and B are evaluated unchanged; a policy for statistics applies to
 * every other network.
 *
 * The contributions of parts do not add up to the barrier. If parts have learned to fit one another,
 * averaging them one by one may cost more in all than averaging all of them at once, and taking one back may
 * make the average worse.
 * @throws MismatchError if a checkpoint does not fit the graph
 * @throws InputError if the data do not fit the graph, or a loss is not finite
 * @throws UnsupportedError if the graph has no weights
 * @throws OutOfRangeError if an option is out of range
 * @throws DOMException named AbortError if `signal` is aborted
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, decomposeBarrier, openArchitecture } from "isthmus";
 * import { openCheckpoint, openDataSet } from "isthmus";
 *
 * const architecture = await openArchitecture("examples/mnist-mlp/graph.onnx", createOnnxRuntimeEngine());
 * const a = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
 * const b = await openCheckpoint("examples/mnist-mlp/s1.safetensors");
 *
 * const data = await openDataSet("mnist:test@200");
 * const { excess, parts, byExample } = await decomposeBarrier(architecture, [a, b], data);
 * const costs = parts.map(({ part, averaged }) => [part, averaged.a.loss]);
 * assert.equal(costs.length, 4); // the layers, and what averaging each alone adds to the loss of A
 * assert(byExample.half < 0.5 && excess.loss > 1); // few examples carry half of it
 * await Promise.all([a.close(), b.close()]);
 * ```
 */
export async function decomposeBarrier(
  { graph: unscored, engine }: Architecture,
  [first, second]: readonly [Checkpoint, Checkpoint],
  data: DataSet,
  options: DecomposeBarrierOptions = {},
): Promise<BarrierDecomposition> {
  const resolved = resolveDecomposeOptions(options);
  const graph = scoreBy(unscored, resolved.loss);
  const { signal, worst, onProgress } = resolved;
  const groups = groupLayers(graph, resolved.groups, resolved.by);
  const [a, b] = await Promise.all([bindNetwork(graph, first), bindNetwork(graph, second)]);
  const chosen = chooseStatistics(graph, resolved.statistics, { data, ...resolved });
  const evaluator = await createCorrectedEvaluator(
    { graph, engine, data },
    { ...resolved, attempt: DECOMPOSE, statistics: chosen.statistics, ends: [a, b] },
  );
  let completed = 0;
  const total = WHOLE_NETWORKS + NETWORKS_OF_PART * groups.length;
  const evaluate: Evaluate = async (shares) => {
    signal?.throwIfAborted();
    const evaluation = await evaluateMixture({ a, b, groups, evaluator }, shares);
    completed += 1;
    onProgress?.({ done: completed / total, completed, total });
    // Errors are the same at every temperature.
    return { ...evaluation, ...evaluation.tempered };
  };
  try {
    const whole = await evaluateWhole(evaluate, groups.length);
    const { tempered } = whole.midpoint;
    return {
      kind: "decomposition",
      ...lossFields(graph, data),
      ...summarizeWhole(whole),
      parts: await evaluateParts(evaluate, { graph, groups, ...whole }),
      byExample: excessByExample(
        mapWhole(whole, ({ losses }) => losses),
        worst,
      ),
      ...(tempered && { tempered: tempered.fitted }),
      ...pairOrigin(chosen, { data, a, b }),
      engine: engine.name,
    };
  } finally {
    await evaluator.release();
  }
}

/** Function that evaluates the network with the given shares of B in its parts. */
type Evaluate = (shares: Shares) => Promise<CorrectedEvaluation>;

/** Values for both ends and for the midpoint. */
interface Whole<T> {
  readonly a: T;
  readonly b: T;
  readonly midpoint: T;
}

const mapWhole = <T, U>({ a, b, midpoint }: Whole<T>, of: (one: T) => U): Whole<U> => ({
  a: of(a),
  b: of(b),
  midpoint: of(midpoint),
});

/** Returns a list with the same share for each of `count` parts. */
const alike = (share: number, count: number): number[] => new Array<number>(count).fill(share);

async function evaluateWhole(evaluate: Evaluate, count: number): Promise<Whole<CorrectedEvaluation>> {
  return {
    a: await evaluate(alike(0, count)),
    b: await evaluate(alike(1, count)),
    midpoint: await evaluate(alike(0.5, count)),
  };
}

function summarizeWhole(
  whole: Whole<LossAndError>,
): Pick<BarrierDecomposition, "ends" | "midpoint" | "excess"> {
  const { a, b, midpoint } = mapWhole(whole, ({ loss, error }) => ({ loss, error }));
  const mean = { loss: (a.loss + b.loss) / 2, error: (a.error + b.error) / 2 };
  return { ends: { a, b }, midpoint, excess: difference(midpoint, mean) };
}

/** Parts of two networks, with loss and error of both networks and of their midpoint. */
interface PartsTask extends Whole<LossAndError> {
  readonly graph: Graph;
  readonly groups: readonly LayerTensors[];
}

async function evaluateParts(
  evaluate: Evaluate,
  { graph, groups, a, b, midpoint }: PartsTask,
): Promise<PartExcess[]> {
  const parts: PartExcess[] = [];
  for (const [index, group] of groups.entries()) {
    const differ = async (others: number, share: number, from: LossAndError) =>
      difference(await evaluate(alike(others, groups.length).with(index, share)), from);
    parts.push({
      part: group.name,
      tensors: group.tensors,
      elements: countElements(graph, group),
      averaged: { a: await differ(0, 0.5, a), b: await differ(1, 0.5, b) },
      putBack: { a: await differ(0.5, 0, midpoint), b: await differ(0.5, 1, midpoint) },
    });
  }
  return parts;
}

const difference = (of: LossAndError, from: LossAndError): LossAndError => ({
  loss: of.loss - from.loss,
  error: of.error - from.error,
});
