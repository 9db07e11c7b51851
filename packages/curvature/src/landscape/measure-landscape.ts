import { bindNetwork, describeMeasurement, evaluateGrid, type PlaneSubject } from "@isthmus/barrier";
import { at } from "@isthmus/core";
import {
  type Architecture,
  type DataSet,
  fingerprintWeights,
  type Graph,
  lossFields,
  scoreBy,
} from "@isthmus/graph";
import { countBatchNorms } from "@isthmus/statistics";
import type { JournalRun } from "@isthmus/tasks";
import { createSpace, describeBasis, type LandscapeSpace } from "./create-space.ts";
import { type DirectionTask, movedNames } from "./directions/direction-task.ts";
import { interpolationShape } from "./interpolation-shape.ts";
import {
  ATTEMPT,
  type LandscapeNetworks,
  type MeasureLandscapeOptions,
  type ResolvedOptions,
  resolveLandscapeOptions,
} from "./landscape-options.ts";
import type { LandscapeNetwork, LandscapeResult } from "./landscape-result.ts";
import { measureLocal } from "./local-shape.ts";
import { gridTopology } from "./topology/grid-topology.ts";

/** Margin around a trajectory, as a share of the space it takes up. */
const MARGIN = 0.2;

/**
 * Measures loss and error on a line, a plane or a grid of more dimensions around a network: along random
 * directions (Li et al. 2018), eigenvectors of the Hessian, principal components of a training run, or to
 * other networks; or from an initialization to the network, and then says whether the loss falls all the way.
 * It finds the minima and saddles of the measured losses, and slope and curvature along every direction at
 * the network.
 *
 * Directions with the sizes of filters or layers are invariant to scaling a whole layer up and the next one
 * down, which leaves a ReLU network's function unchanged; plain random directions and eigenvectors are not,
 * and no directions are invariant to scaling single units: compare networks after `canonicalize` of
 * `@isthmus/weight-matching`. With a `journalPath`, a measurement that was killed resumes with the unfinished
 * row, and gives the same bytes.
 * @throws MismatchError if a checkpoint does not fit the graph, or the journal is of another measurement
 * @throws InputError if the data do not fit the graph, or directions have no length or are not independent
 * @throws UsageError if options do not go with the directions
 * @throws OutOfRangeError if an option is out of range
 * @throws UnsupportedError if eigenvectors are requested and an operator has no gradient rule
 * @throws DOMException named AbortError if `signal` is aborted
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, measureLandscape, openDataSet, parseNetwork } from "isthmus";
 *
 * const data = await openDataSet("mnist:test@100");
 * const { graph, initialize } = parseNetwork("mlp:8", data);
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 *
 * // A trained network, as a rule.
 * const network = { label: "seed 0", network: initialize(0) };
 * const plane = await measureLandscape(architecture, { network }, data, { points: 3 });
 * assert.deepEqual([plane.axes.length, plane.loss.length], [2, 9]);
 * assert.equal(plane.loss[4], plane.networks[0]?.loss); // in the middle
 * ```
 */
export async function measureLandscape(
  { graph: unscored, engine }: Architecture,
  networks: LandscapeNetworks,
  data: DataSet,
  options: MeasureLandscapeOptions = {},
): Promise<LandscapeResult> {
  const graph = scoreBy(unscored, options.loss);
  const subjects = await bindSubjects(graph, networks, options);
  const resolved = resolveLandscapeOptions(options, subjects.others.length);
  const names = movedNames(graph, resolved);
  const task: DirectionTask = {
    architecture: { graph, engine },
    data,
    names,
    options: resolved,
    network: subjects.network.network,
    others: subjects.others,
  };
  const space = await createSpace(task);
  const local = await measureLocal(task.architecture, task, space.directions, resolved);
  const axes = axesOf(space, resolved);
  const evaluated = await evaluateSpace(task, { space, axes });
  const { networks: evaluations, loss, error } = evaluated;
  const all = [subjects.network, ...subjects.others];
  const places = [{ place: space.center, distance: 0 }, ...space.places];
  const { along, ...derivatives } = local;
  return {
    kind: "landscape",
    ...lossFields(graph, data),
    directions: resolved.directions,
    normalization: resolved.normalization,
    vectors: resolved.vectors,
    basis: describeBasis(space).map((direction, k) => ({ ...direction, ...along[k] })),
    cosines: space.cosines,
    axes,
    loss,
    error,
    networks: all.map(({ label, network: { source } }, k): LandscapeNetwork => {
      return { label, source, ...at(places, k, "place"), ...at(evaluations, k, "network") };
    }),
    topology: gridTopology(
      loss,
      axes.map(({ length }) => length),
    ),
    ...(resolved.directions === "initialization" && {
      interpolation: interpolationShape(at(axes, 0, "axis"), loss, error),
    }),
    ...space.computed,
    ...derivatives,
    seed: resolved.seed,
    examples: data.size,
    // Networks without batch norm have no statistics to recalibrate.
    statistics: countBatchNorms(graph) === 0 ? "keep" : resolved.statistics,
    data: data.name,
    engine: engine.name,
  };
}

/** Reads networks into memory. If the last snapshot is the network itself, it counts once. */
async function bindSubjects(
  graph: Graph,
  { network, others = [] }: LandscapeNetworks,
  { directions }: MeasureLandscapeOptions,
): Promise<Required<LandscapeNetworks> & { readonly others: readonly PlaneSubject[] }> {
  const bind = async (subject: PlaneSubject): Promise<PlaneSubject> => ({
    label: subject.label,
    network: await bindNetwork(graph, subject.network),
  });
  const [middle, ...rest] = await Promise.all([network, ...others].map(bind));
  const subjects = { network: middle ?? network, others: rest };
  const last = rest.at(-1);
  if (directions !== "trajectory" || last === undefined) return subjects;
  const same =
    (await fingerprintWeights(graph, last.network)) ===
    (await fingerprintWeights(graph, subjects.network.network));
  return same ? { ...subjects, others: rest.slice(0, -1) } : subjects;
}

/** Computes the coordinates of the grid along every direction. */
function axesOf(space: LandscapeSpace, { directions, range, points }: ResolvedOptions): number[][] {
  return space.directions.map((_, k) => {
    const [from, to] = range ?? defaultRange(space, k, directions);
    return Array.from({ length: points }, (__, i) => from + (i / (points - 1)) * (to - from));
  });
}

function defaultRange(
  { places }: LandscapeSpace,
  k: number,
  kind: ResolvedOptions["directions"],
): readonly [number, number] {
  switch (kind) {
    case "random":
    case "eigenvectors":
      return [-1, 1];
    case "networks":
      return [-0.5, 1.5];
    case "initialization":
      return [0, 1];
    case "trajectory": {
      const along = [0, ...places.map(({ place }) => at(place, k, "coordinate"))];
      const [low, high] = [Math.min(...along), Math.max(...along)];
      return [low - MARGIN * (high - low), high + MARGIN * (high - low)];
    }
  }
}

async function evaluateSpace(
  task: DirectionTask,
  { space, axes }: { readonly space: LandscapeSpace; readonly axes: readonly (readonly number[])[] },
): ReturnType<typeof evaluateGrid> {
  const { architecture, data, network, others, options } = task;
  const { statistics, statisticsData, batchSize, journalPath, signal, onProgress } = options;
  return evaluateGrid(
    { ...architecture, data },
    {
      attempt: ATTEMPT,
      axes,
      at: space.at,
      networks: [network, ...others.map((other) => other.network)],
      run: await describeRun(task, axes),
    },
    {
      statistics,
      statisticsData,
      batchSize,
      journalPath,
      signal,
      onProgress: (progress) => onProgress?.({ stage: "grid", ...progress }),
    },
  );
}

/** Describes all inputs that decide the numbers of the grid. */
async function describeRun(
  { architecture, data, network, others, options }: DirectionTask,
  axes: readonly (readonly number[])[],
): Promise<JournalRun> {
  const { graph } = architecture;
  const { directions, dimensions, points, normalization, vectors, seed, hessianExamples, steps } = options;
  const fingerprints = await Promise.all(
    others.map(async (other, k) => [`other ${k + 1}`, await fingerprintWeights(graph, other.network)]),
  );
  const ends = axes.map((axis, k) => [`axis ${k + 1}`, `${axis[0]} to ${axis.at(-1)}`]);
  return {
    ...describeMeasurement({ ...architecture, data }, options),
    network: await fingerprintWeights(graph, network),
    directions,
    dimensions,
    points,
    normalization,
    vectors,
    seed,
    ...(directions === "eigenvectors" ? { hessianExamples, steps } : {}),
    ...Object.fromEntries([...fingerprints, ...ends]),
  };
}
