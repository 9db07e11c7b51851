import { at } from "@isthmus/core";
import {
  type Architecture,
  type DataSet,
  fingerprintWeights,
  type Graph,
  lossFields,
  parameterNames,
  scoreBy,
} from "@isthmus/graph";
import {
  type CurveKind,
  createPlane,
  curveCoefficients,
  type Plane,
  type PlanePlace,
  type PlaneProjection,
} from "@isthmus/interpolation";
import type { JournalRun } from "@isthmus/tasks";
import { bindNetwork } from "./bind-network.ts";
import type { EvaluatedArchitecture } from "./create-corrected-evaluator.ts";
import { describeMeasurement } from "./describe-measurement.ts";
import { evaluateGrid } from "./evaluate-grid.ts";
import {
  type MeasurePlaneOptions,
  type PlaneGrid,
  type PlaneModels,
  type PlaneSubject,
  planeGrid,
  resolvePlaneOptions,
} from "./plane-options.ts";
import type { PlaneModel, PlaneResult } from "./plane-result.ts";

/** Number of straight pieces by which a curve is drawn. */
const CURVE_PIECES = 100;

/**
 * Measures loss and error on a grid of the plane through three networks (Garipov et al. 2018, figure 1).
 *
 * Distances are measured between parameters; running statistics do not count. All networks use the same
 * examples in the same order. With a `journalPath`, a measurement that was killed resumes with the unfinished
 * row, and gives the same bytes.
 * @throws MismatchError if a checkpoint does not fit the graph, or the journal is of another measurement
 * @throws InputError if the data do not fit the graph, or the networks lie on a line
 * @throws FormatError if the file at `journalPath` is not a journal
 * @throws OutOfRangeError if an option is out of range
 * @throws DOMException named AbortError if `signal` is aborted
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, measurePlane, openDataSet, parseNetwork } from "isthmus";
 *
 * const data = await openDataSet("mnist:test@200");
 * const { graph, initialize } = parseNetwork("mlp:8", data);
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 *
 * // Trained networks, as a rule.
 * const subject = (seed: number) => ({ label: `seed ${seed}`, network: initialize(seed) });
 * const plane = await measurePlane(architecture, [subject(0), subject(1), subject(2)], data, { points: 3 });
 * assert.equal(plane.loss.length, 3); // rows of three losses
 * ```
 */
export async function measurePlane(
  { graph: unscored, engine }: Architecture,
  models: PlaneModels,
  data: DataSet,
  { placed, ...options }: MeasurePlaneOptions = {},
): Promise<PlaneResult> {
  const resolved = resolvePlaneOptions(options);
  const graph = scoreBy(unscored, resolved.loss);
  const task = await placeNetworks({ graph, models, placed }, resolved);
  const { statistics, curve } = resolved;
  return {
    kind: "plane",
    ...lossFields(graph, data),
    ...task.grid,
    ...(await evaluatePlane({ graph, engine, data }, task, resolved)),
    paths: curve === undefined ? [] : [{ label: curve, points: drawCurve(curve, task.plane) }],
    statistics,
    examples: data.size,
    data: data.name,
    engine: engine.name,
  };
}

/** Network and its place in the plane. */
interface PlacedSubject extends PlaneSubject {
  readonly place: PlaneProjection;
}

/** Plane, the grid on it, and the networks placed in it. */
interface PlaneTask {
  readonly plane: Plane;
  readonly grid: PlaneGrid;
  readonly subjects: readonly PlacedSubject[];
}

/** Computes the plane, the place of every network in it, and the grid around them. */
async function placeNetworks(
  {
    graph,
    models,
    placed = [],
  }: {
    readonly graph: Graph;
    readonly models: PlaneModels;
    readonly placed: readonly PlaneSubject[] | undefined;
  },
  options: Required<Omit<MeasurePlaneOptions, "placed">>,
): Promise<PlaneTask> {
  const bind = async ({ label, network }: PlaneSubject) => ({
    label,
    network: await bindNetwork(graph, network),
  });
  const [first, second, third] = models;
  const spanning = [await bind(first), await bind(second), await bind(third)] as const;
  const [a, b, c] = spanning;
  const plane = await createPlane([a.network, b.network, c.network], { tensors: parameterNames(graph) });
  const others: PlacedSubject[] = [];
  for (const subject of placed) {
    const bound = await bind(subject);
    others.push({ ...bound, place: await plane.project(bound.network) });
  }
  const spanningSubjects = spanning.map((subject, k): PlacedSubject => {
    return { ...subject, place: { ...at(plane.places, k, "place"), distance: 0 } };
  });
  const outer = others.map(({ place }) => place);
  return {
    plane,
    grid: planeGrid(plane.places, outer, options),
    subjects: [...spanningSubjects, ...others],
  };
}

async function evaluatePlane(
  architecture: EvaluatedArchitecture,
  task: PlaneTask,
  options: Required<Omit<MeasurePlaneOptions, "placed">>,
): Promise<Pick<PlaneResult, "loss" | "error" | "models">> {
  const { plane, grid, subjects } = task;
  const { statistics, statisticsData, batchSize, signal, journalPath, openRows, onProgress } = options;
  const { loss, error, networks } = await evaluateGrid(
    architecture,
    {
      attempt: "measure a plane",
      axes: [grid.ys, grid.xs],
      at: ([y = Number.NaN, x = Number.NaN]) => plane.at({ x, y }),
      networks: subjects.map(({ network }) => network),
      run: await describePlane(architecture, task, options),
    },
    { statistics, statisticsData, batchSize, signal, journalPath, openRows, onProgress },
  );
  const columns = grid.xs.length;
  const rowsOf = (values: readonly number[]) =>
    grid.ys.map((_, row) => values.slice(row * columns, (row + 1) * columns));
  const models = subjects.map(({ label, network: { source }, place }, k): PlaneModel => {
    return { label, source, ...place, ...at(networks, k, "network") };
  });
  return { loss: rowsOf(loss), error: rowsOf(error), models };
}

/** Describes all inputs that decide the numbers of the rows. */
async function describePlane(
  architecture: EvaluatedArchitecture,
  { grid, subjects }: PlaneTask,
  options: Required<Omit<MeasurePlaneOptions, "placed">>,
): Promise<JournalRun> {
  const { graph } = architecture;
  const fingerprint = (k: number) => fingerprintWeights(graph, at(subjects, k, "network").network);
  const { xs, ys } = grid;
  return {
    ...describeMeasurement(architecture, options),
    first: await fingerprint(0),
    second: await fingerprint(1),
    third: await fingerprint(2),
    // The bounds of the grid are recorded, as they depend on the margin and on placed networks.
    points: options.points,
    left: at(xs, 0, "column"),
    right: at(xs, xs.length - 1, "column"),
    bottom: at(ys, 0, "row"),
    top: at(ys, ys.length - 1, "row"),
  };
}

/** Computes points `[x, y]` along a curve in the plane. */
function drawCurve(kind: CurveKind, { places }: Plane): [x: number, y: number][] {
  return Array.from({ length: CURVE_PIECES + 1 }, (_, i) => {
    const shares = curveCoefficients(kind, places.length, i / CURVE_PIECES);
    const sum = (of: (place: PlanePlace) => number) =>
      places.reduce((total, place, k) => total + at(shares, k, "share") * of(place), 0);
    return [sum(({ x }) => x), sum(({ y }) => y)];
  });
}
