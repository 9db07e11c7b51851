import { bindNetwork, type CorrectedEvaluator, createCorrectedEvaluator } from "@isthmus/barrier";
import { at, type Checkpoint, OutOfRangeError, resolveFields } from "@isthmus/core";
import { type DataSet, scoreBy } from "@isthmus/graph";
import { type CurvePoints, createCurve, type Path } from "@isthmus/interpolation";
import type { SymmetricArchitecture } from "@isthmus/symmetry";
import type { HiddenLayer } from "@isthmus/symmetry/layout";
import type { LayerRemainder } from "../dropout-stability/choose-units.ts";
import { dropLayerByLayer, trialSeeds } from "../dropout-stability/drop-layer-by-layer.ts";
import { dropUnits } from "../dropout-stability/drop-units.ts";
import { DROPOUT_FIELDS } from "../dropout-stability/dropout-options.ts";
import { droppableLayers } from "../dropout-stability/droppable-layers.ts";
import { BUILD_RUN_DEFAULTS, type BuildDropoutPathOptions } from "./dropout-path-options.ts";
import { halveNetwork, type Waypoint } from "./halve-network.ts";
import { isChain } from "./is-chain.ts";
import { joinHalves } from "./join-halves.ts";
import { findMixedLayers } from "./mixed-layers.ts";
import { checkpointOf } from "./read-weights.ts";

/** Straight line of a path through dropout-stable networks. */
export interface PathSegment {
  /** Words for the change that the line makes, such as `turn from the first network to the second`. */
  readonly step: string;
  /** Place of the path at which the line begins, in `[0, 1]`; it ends at `to`. */
  readonly from: number;
  /** Place of the path at which the line ends, in `[0, 1]`. */
  readonly to: number;
  /**
   * Whether the outputs of the network change on the line: if so, they change linearly unless units of layers
   * are mixed.
   */
  readonly isChange: boolean;
}

/** Path of straight lines from one network to another, through networks without half of their units. */
export interface DropoutPath {
  /** Path from the first network to the second along the lines. */
  readonly path: Path;
  /** Networks at the ends of the lines, including the two that are joined; in memory. */
  readonly points: CurvePoints;
  /** Lines of the path in order; line `i` joins networks `i` and `i + 1` of `points`. */
  readonly segments: readonly PathSegment[];
  /** Order in which units were taken out of both networks: layer by layer, or all layers on one line. */
  readonly order: "layers" | "direct";
  /**
   * Names of layers whose units are combined before they are read, as by layer norm: if there are any, no
   * bound is guaranteed.
   */
  readonly mixed: readonly string[];
  /**
   * Largest loss of both networks and of all networks between with fewer units: with the order `layers`, an
   * upper bound of the loss on the path.
   */
  readonly bound: number;
}

const ATTEMPT = "build a path through dropout-stable networks";

/**
 * Builds a path between two networks on which the loss is at most the largest loss of both with half of
 * their units taken out, if that loss is convex in the outputs. Nothing is trained.
 *
 * Each network loses half of the units of its layers, the last layer first; then the second is written into
 * the free half of the first, and the outputs turn from one to the other. The path ends at the second network
 * itself, not at a permutation of it. If layers write to one stream, as in residual networks, all layers lose
 * their units on one line, on which no bound is guaranteed. If units are combined before they are read, as by
 * layer norm, which is found by trial, no bound is guaranteed on any line. `measureDropoutPath` measures the
 * loss on the path. All ends of lines are in memory at once: about 4 networks per layer and 7 more.
 *
 * Kuditipudi et al., Explaining landscape connectivity of low-cost solutions for multilayer nets (2019),
 * theorem 1. The path of the paper has further lines that permute units; this path moves only units that
 * occupy places of others.
 * @throws MismatchError if the checkpoints do not fit the graph
 * @throws InputError if the data do not fit the graph, or it has no hidden units that can be taken out
 * @throws UnsupportedError if weights have fewer than 32 bits
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { buildDropoutPath, createOnnxRuntimeEngine, discoverSymmetries } from "isthmus";
 * import { openDataSet, parseNetwork } from "isthmus";
 *
 * const data = await openDataSet("mnist:test@50");
 * const { graph, initialize } = parseNetwork("mlp:8", data);
 * const engine = createOnnxRuntimeEngine();
 * const architecture = { graph, engine, symmetries: await discoverSymmetries({ graph, engine }) };
 *
 * const [a, b] = [initialize(0), initialize(1)]; // trained ones, as a rule
 * const { points, segments } = await buildDropoutPath(architecture, [a, b], data);
 * assert.equal(segments.length, points.length - 1);
 * assert.deepEqual(await points[0].read("layers.0.weight"), await a.read("layers.0.weight"));
 * ```
 */
export async function buildDropoutPath(
  unscored: SymmetricArchitecture,
  networks: readonly [Checkpoint, Checkpoint],
  data: DataSet,
  options: BuildDropoutPathOptions = {},
): Promise<DropoutPath> {
  const resolved = resolveFields(ATTEMPT, DROPOUT_FIELDS, options, BUILD_RUN_DEFAULTS);
  const architecture = { ...unscored, graph: scoreBy(unscored.graph, resolved.loss) };
  const { graph, engine } = architecture;
  const { layers, left } = droppableLayers(ATTEMPT, architecture, undefined);
  assertHalves(layers);
  const evaluator = await createCorrectedEvaluator(
    { graph, engine, data },
    { ...resolved, attempt: ATTEMPT, allowNonFinite: true },
  );
  try {
    const first = await bindNetwork(graph, networks[0]);
    const measureLoss = async (network: Checkpoint) => (await evaluator.evaluate(network, [])).loss;
    const mixed = await findMixedLayers(first, layers, measureLoss);
    const order = left.size === 0 && mixed.length === 0 && isChain(layers) ? "layers" : "direct";
    const halves = [];
    let bound = 0;
    for (const [index, network] of networks.entries()) {
      const read = await bindNetwork(graph, network);
      const onTrial = (done: number) => resolved.onProgress?.({ done: (index + done) / 2 });
      const { remainders, worst } = await chooseHalf(
        { network: read, layers, evaluator, order },
        { ...resolved, onTrial },
      );
      bound = Math.max(bound, worst);
      halves.push(await halveNetwork(read, remainders, order));
    }
    const [a, b] = [at(halves, 0, "network"), at(halves, 1, "network")];
    const waypoints = [...a.waypoints, ...joinHalves(layers, a, b), ...reverse(b.waypoints)];
    const path = drawPath(
      mixed.length === 0 ? waypoints : waypoints.map((waypoint) => ({ ...waypoint, isChange: true })),
      networks,
    );
    return { ...path, order, mixed, bound };
  } finally {
    await evaluator.release();
  }
}

/** @throws OutOfRangeError if a layer has only one unit, so that no half can stay */
function assertHalves(layers: readonly HiddenLayer[]): void {
  const single = layers.find(({ size }) => size < 2);
  if (single === undefined) return;
  throw new OutOfRangeError(`Cannot ${ATTEMPT} as a layer must have 2 units or more: "${single.name}" has 1`);
}

interface Whole {
  readonly network: Checkpoint;
  readonly layers: readonly HiddenLayer[];
  readonly evaluator: CorrectedEvaluator;
  readonly order: DropoutPath["order"];
}

/** Chooses the half of the units for which the largest loss on the path to the halved network is smallest. */
async function chooseHalf(
  { network, layers, evaluator, order }: Whole,
  {
    trials,
    seed,
    choice,
    rescale,
    signal,
    onTrial,
  }: Required<BuildDropoutPathOptions> & { readonly onTrial: (done: number) => void },
): Promise<{ readonly remainders: readonly LayerRemainder[]; readonly worst: number }> {
  const { loss } = await evaluator.evaluate(network, undefined);
  let best: { readonly remainders: readonly LayerRemainder[]; readonly worst: number } | undefined;
  const seeds = choice === "largest" ? [seed] : trialSeeds(seed, trials);
  for (const [trial, trialSeed] of seeds.entries()) {
    const plan = {
      count: (size: number) => Math.floor(size / 2),
      choice,
      rescale,
      seed: trialSeed,
      evaluator,
    };
    const remainders = await dropLayerByLayer(network, layers, plan);
    let worst = loss;
    const firsts = order === "direct" ? [0] : [...layers.keys()];
    for (const first of firsts) {
      signal?.throwIfAborted();
      const reduced = await evaluator.evaluate(dropUnits(network, remainders.slice(first)), []);
      worst = Math.max(worst, reduced.loss);
    }
    if (best === undefined || worst < best.worst) best = { remainders, worst };
    onTrial((trial + 1) / seeds.length);
  }
  return best as NonNullable<typeof best>;
}

/** Reverses a path: it has the same lines, each of which now leads to the network where it began. */
function reverse(waypoints: readonly Waypoint[]): readonly Waypoint[] {
  return waypoints
    .slice(0, -1)
    .map(({ weights }, index) => {
      const { step, isChange } = at(waypoints, index + 1, "waypoint");
      return { weights, step: `undo: ${step}`, isChange };
    })
    .reverse();
}

function drawPath(
  waypoints: readonly Waypoint[],
  [a, b]: readonly [Checkpoint, Checkpoint],
): Pick<DropoutPath, "path" | "points" | "segments"> {
  const pieces = waypoints.length - 1;
  const points = waypoints.map(({ weights }, index) => {
    const isEnd = index === 0 || index === pieces;
    return checkpointOf(weights, isEnd ? (index === 0 ? a : b).source : `point ${index} of a path`);
  }) as unknown as CurvePoints;
  const segments = waypoints.slice(1).map(({ step, isChange }, index) => {
    return { step, from: index / pieces, to: (index + 1) / pieces, isChange };
  });
  return { path: createCurve("chain", points), points, segments };
}
