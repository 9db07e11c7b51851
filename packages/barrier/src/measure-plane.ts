import { assertWholeOptions, type Checkpoint, resolveOptions } from "@isthmus/core";
import { type DataSet, fingerprintWeights } from "@isthmus/graph";
import {
  type CurveKind,
  createPlane,
  curveCoefficients,
  type Plane,
  type PlanePlace,
  type PlaneProjection,
} from "@isthmus/interpolation";
import { NORM_POLICIES, type NormPolicy } from "@isthmus/statistics";
import { bindNetwork, parameterNames } from "./bind-network.ts";
import {
  type CorrectedEvaluator,
  createCorrectedEvaluator,
  type EvaluatedArchitecture,
} from "./create-corrected-evaluator.ts";
import { describeMeasurement } from "./describe-measurement.ts";
import { type Journal, type JournalRun, openJournal } from "./journal.ts";
import { type PlaneGrid, planeGrid } from "./plane-grid.ts";
import type { PlaneModel, PlaneResult } from "./plane-result.ts";

/** A network of a plane, and what it is called there. */
export interface PlaneSubject {
  readonly label: string;
  readonly network: Checkpoint;
}

/** Networks of one architecture that span a plane, and what to measure it with. */
export interface MeasuredPlane extends EvaluatedArchitecture {
  /** The first is the origin, the third lies on the x axis; of a curve: an end, its bend, the other end. */
  readonly models: readonly [PlaneSubject, PlaneSubject, PlaneSubject];
  /** Others, to be placed where they are nearest to the plane. */
  readonly placed?: readonly PlaneSubject[] | undefined;
}

/** Progress of {@link measurePlane}. */
export interface PlaneProgress {
  /** Networks measured, of `total`. */
  readonly done: number;
  readonly total: number;
}

/** Options of {@link measurePlane}. */
export interface MeasurePlaneOptions {
  /** Columns of the grid, and rows, at least 2. @defaultValue 21 */
  readonly points?: number;
  /**
   * Margin around the three networks, as a share of the space they take up, at least 0; placed ones that would be outside widen the
   * grid. @defaultValue 0.2
   */
  readonly margin?: number;
  /** What is done about batch norms of all networks, the given ones too. @defaultValue "recalibrate" */
  readonly statistics?: NormPolicy;
  /** Examples to measure statistics on. @defaultValue the first 2,500 of the evaluated ones */
  readonly statisticsData?: DataSet | undefined;
  /** A curve to draw: from the first network to the third, with the second as its bend. @defaultValue none */
  readonly curve?: CurveKind | undefined;
  /** File that keeps finished rows, and from which the same measurement goes on. @defaultValue none */
  readonly journalPath?: string | undefined;
  /** Examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: PlaneProgress) => void) | undefined;
}

/** Defaults of {@link measurePlane}. */
export const MEASURE_PLANE_DEFAULTS: Required<MeasurePlaneOptions> = {
  points: 21,
  margin: 0.2,
  statistics: "recalibrate",
  statisticsData: undefined,
  curve: undefined,
  journalPath: undefined,
  batchSize: 100,
  signal: undefined,
  onProgress: undefined,
};

/** Pieces of a curve that is drawn. */
const CURVE_PIECES = 100;

/**
 * Measures loss and error on a grid of the plane through three networks (Garipov et al. 2018, figure 1).
 *
 * Lengths are those of parameters; statistics of norms do not count. All networks see the same examples in the same order. A
 * measurement with a `journalPath` that was killed goes on with the row it was in, to the same bytes.
 * @throws MismatchError if a checkpoint does not fit the graph, or the journal is of another measurement
 * @throws InputError if the data do not fit the graph, or the networks lie on a line
 * @throws FormatError if the journal is something else
 * @throws RangeError if an option is out of range
 * @throws DOMException named AbortError if `signal` is aborted
 */
export async function measurePlane(
  { graph, engine, data, models, placed }: MeasuredPlane,
  options: MeasurePlaneOptions = {},
): Promise<PlaneResult> {
  const resolved = resolveOptions("measure a plane", MEASURE_PLANE_DEFAULTS, options);
  assertOptions(resolved);
  const task = await placeNetworks({ graph, models, placed }, resolved);
  const { statistics, curve } = resolved;
  return {
    kind: "plane",
    ...task.grid,
    ...(await evaluatePlane({ graph, engine, data }, task, resolved)),
    paths: curve === undefined ? [] : [{ label: curve, points: drawCurve(curve, task.plane) }],
    statistics,
    examples: data.size,
    data: data.name,
    engine: engine.name,
  };
}

function assertOptions(options: Required<MeasurePlaneOptions>): void {
  assertWholeOptions("measure a plane", options, { points: 2, batchSize: 1 });
  const { margin, statistics } = options;
  const fail = (option: string, rule: string, value: unknown): never => {
    throw new RangeError(`Cannot measure a plane as "${option}" must be ${rule}: it is ${value}`);
  };
  if (!(margin >= 0 && Number.isFinite(margin))) fail("margin", "a number of at least 0", margin);
  if (!NORM_POLICIES.includes(statistics)) {
    fail("statistics", `one of ${NORM_POLICIES.join(", ")}`, statistics);
  }
}

interface PlacedSubject extends PlaneSubject {
  readonly place: PlaneProjection;
}

interface PlaneTask {
  readonly plane: Plane;
  readonly grid: PlaneGrid;
  readonly subjects: readonly PlacedSubject[];
}

/** Lays the plane, finds the place of every network in it, and lays the grid around them. */
async function placeNetworks(
  { graph, models, placed = [] }: Pick<MeasuredPlane, "graph" | "models" | "placed">,
  options: Required<MeasurePlaneOptions>,
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
  const own = spanning.map((subject, k): PlacedSubject => {
    return { ...subject, place: { ...(plane.places[k] ?? plane.places[0]), distance: 0 } };
  });
  const outer = others.map(({ place }) => place);
  return { plane, grid: planeGrid(plane.places, outer, options), subjects: [...own, ...others] };
}

async function evaluatePlane(
  architecture: EvaluatedArchitecture,
  task: PlaneTask,
  options: Required<MeasurePlaneOptions>,
): Promise<Pick<PlaneResult, "loss" | "error" | "models">> {
  const { statistics, statisticsData, batchSize, signal, journalPath } = options;
  const journal = await openJournal(journalPath, await describePlane(architecture, task, options));
  const evaluator = await createCorrectedEvaluator(architecture, {
    attempt: "measure a plane",
    allowNonFinite: true,
    statistics,
    statisticsData,
    batchSize,
    signal,
  });
  try {
    const finished = task.grid.ys.filter((_, row) => journal.has(rowKey(row))).length;
    const evaluate = countEvaluations(evaluator, { task, rows: finished, options });
    const rows = await evaluateRows(task, { journal, evaluate });
    const models: PlaneModel[] = [];
    for (const { label, network, place } of task.subjects) {
      const { source } = network;
      models.push({ label, source, ...place, ...(await evaluate(network)) });
    }
    return { loss: rows.map(({ loss }) => loss), error: rows.map(({ error }) => error), models };
  } finally {
    await evaluator.release();
  }
}

type Evaluate = (network: Checkpoint) => Promise<{ readonly loss: number; readonly error: number }>;

/** Evaluates networks and reports how many are done. */
function countEvaluations(
  evaluator: CorrectedEvaluator,
  {
    task: { grid, subjects },
    rows,
    options: { signal, onProgress },
  }: {
    readonly task: PlaneTask;
    readonly rows: number;
    readonly options: Required<MeasurePlaneOptions>;
  },
): Evaluate {
  const total = grid.xs.length * grid.ys.length + subjects.length;
  let done = grid.xs.length * rows;
  return async (network) => {
    signal?.throwIfAborted();
    const { loss, error } = await evaluator.evaluate(network, []);
    done += 1;
    onProgress?.({ done, total });
    return { loss, error };
  };
}

const rowKey = (row: number) => `row ${row}`;

/** Evaluates the rows that are not in the journal yet. */
async function evaluateRows(
  { plane, grid }: PlaneTask,
  { journal, evaluate }: { readonly journal: Journal; readonly evaluate: Evaluate },
): Promise<{ readonly loss: number[]; readonly error: number[] }[]> {
  const rows: { readonly loss: number[]; readonly error: number[] }[] = [];
  for (const [row, y] of grid.ys.entries()) {
    const numbers = await journal.get(rowKey(row), async () => {
      const evaluations: Awaited<ReturnType<Evaluate>>[] = [];
      for (const x of grid.xs) evaluations.push(await evaluate(plane.at({ x, y })));
      return [...evaluations.map(({ loss }) => loss), ...evaluations.map(({ error }) => error)];
    });
    const columns = grid.xs.length;
    rows.push({ loss: numbers.slice(0, columns), error: numbers.slice(columns) });
  }
  return rows;
}

/** All that decides the numbers of the rows. */
async function describePlane(
  architecture: EvaluatedArchitecture,
  { grid, subjects }: PlaneTask,
  options: Required<MeasurePlaneOptions>,
): Promise<JournalRun> {
  const [first, second, third] = await Promise.all(
    subjects.slice(0, 3).map(({ network }) => fingerprintWeights(architecture.graph, network)),
  );
  return {
    ...describeMeasurement(architecture, options),
    first: first ?? "",
    second: second ?? "",
    third: third ?? "",
    // The grid depends on the margin, and on networks that were placed.
    points: options.points,
    left: grid.xs[0] ?? 0,
    right: grid.xs.at(-1) ?? 0,
    bottom: grid.ys[0] ?? 0,
    top: grid.ys.at(-1) ?? 0,
  };
}

function drawCurve(kind: CurveKind, { places }: Plane): [x: number, y: number][] {
  return Array.from({ length: CURVE_PIECES + 1 }, (_, i) => {
    const shares = curveCoefficients(kind, places.length, i / CURVE_PIECES);
    const sum = (of: (place: PlanePlace) => number) =>
      places.reduce((total, place, k) => total + (shares[k] ?? 0) * of(place), 0);
    return [sum(({ x }) => x), sum(({ y }) => y)];
  });
}
