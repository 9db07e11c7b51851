import { barrierValues } from "@isthmus/barrier";
import { at, type Checkpoint, type FieldsOf, numberField, resolveFields, UsageError } from "@isthmus/core";
import { type Architecture, assertErrors, type DataSet, limitExamples } from "@isthmus/graph";
import { createPath, type Path } from "@isthmus/interpolation";
import { STATISTICS_EXAMPLES } from "@isthmus/statistics";
import {
  MEASURE_PATH_FIELDS,
  type MeasurePathChoice,
  type MeasurePathOptions,
  measurePath,
} from "../path/measure-path.ts";
import type { MechanismSet, MechanismsResult } from "./mechanisms-result.ts";

/** Progress of {@link measureMechanisms}. */
export interface MechanismsProgress {
  /** Share of the work that is done, in `[0, 1]`. */
  readonly done: number;
  /** Name of the data set that is measured. */
  readonly set: string;
}

/** Options of {@link measureMechanisms} that are plain data. */
export interface MechanismsChoice extends MeasurePathChoice {
  /**
   * Tolerance: the largest barrier of the error, and the largest gap between the ends, that count as none.
   * @defaultValue 0.05
   */
  readonly tolerance?: number;
}

/** Fields of {@link MechanismsChoice}. */
export const MECHANISMS_FIELDS: FieldsOf<MechanismsChoice> = {
  ...MEASURE_PATH_FIELDS,
  tolerance: numberField({
    least: 0,
    most: 1,
    default: 0.05,
    placeholder: "<share>",
    help: "largest barrier of the error that counts as none",
  }),
};

/** Options of {@link measureMechanisms}. */
export interface MeasureMechanismsOptions
  extends MechanismsChoice,
    Pick<MeasurePathOptions, "statisticsData" | "signal"> {
  /** Path to measure, with its name in the result. @defaultValue the straight line between the networks */
  readonly path?: { readonly name: string; readonly path: Path } | undefined;
  /** Callback for the progress, called after every place on every set. @defaultValue none */
  readonly onProgress?: ((progress: MechanismsProgress) => void) | undefined;
}

type Run = Omit<MeasureMechanismsOptions, keyof MechanismsChoice>;

const RUN_DEFAULTS: Required<Run> = {
  path: undefined,
  statisticsData: undefined,
  signal: undefined,
  onProgress: undefined,
};

const ATTEMPT = "measure mechanisms";

/**
 * Measures loss and error along a path between two networks on several data sets at once, and the barrier on
 * each: two networks are mechanistically connected if there is no barrier on any data set. As a rule, the
 * sets are counterfactuals of one data set, such as `counterfactuals` of `@isthmus/data` makes.
 *
 * Barriers of the error decide. A network that is misled is overconfident: its loss may be many nats, and the
 * chord from such an end hides any rise. The result has barriers of the loss, too.
 *
 * A straight line depends on the order of units: permute the second network to match the first one for a
 * result that does not depend on that order. Statistics of batch norms are measured on the same examples for
 * all sets, so that all are measured on the same networks.
 * @param sets - data sets by name, in the order of the result
 * @throws UsageError if there are no sets
 * @throws OutOfRangeError if an option is out of range
 * @throws MismatchError if a network does not fit the graph
 * @throws InputError if data do not fit the graph
 * @throws DOMException named AbortError if `signal` is aborted
 * @see Lubana et al., Mechanistic mode connectivity, 2023
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { counterfactuals, createOnnxRuntimeEngine, measureMechanisms } from "isthmus";
 * import { openDataSet, parseNetwork } from "isthmus";
 *
 * const data = await openDataSet("mnist:test@100");
 * const { graph, initialize } = parseNetwork("mlp:8", data);
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 * const networks = [initialize(0), initialize(1)] as const; // trained ones, as a rule
 *
 * const sets = counterfactuals(data, { kind: "place" });
 * const result = await measureMechanisms(architecture, networks, sets, { points: 5 });
 * assert.deepEqual(result.sets.map(({ name }) => name), Object.keys(sets));
 * assert.equal(result.connected, result.sets.every(({ barrier }) => barrier.error.chord <= 0.05));
 * ```
 */
export async function measureMechanisms(
  architecture: Architecture,
  [a, b]: readonly [Checkpoint, Checkpoint],
  sets: Readonly<Record<string, DataSet>>,
  options: MeasureMechanismsOptions = {},
): Promise<MechanismsResult> {
  const resolved = resolveFields(ATTEMPT, MECHANISMS_FIELDS, options, RUN_DEFAULTS);
  const { tolerance, path = { name: "line", path: createPath("linear", a, b) }, onProgress } = resolved;
  const { points, statistics, batchSize, signal } = resolved;
  const named = Object.entries(sets);
  if (named.length === 0) {
    throw new UsageError(`Cannot ${ATTEMPT} as there must be data sets to measure on: there are none`);
  }
  for (const [, data] of named) assertErrors(ATTEMPT, architecture.graph, data);
  const statisticsData = resolved.statisticsData ?? firstOf(at(named, 0, "data set")[1]);
  const measured: MechanismSet[] = [];
  for (const [index, [name, data]] of named.entries()) {
    const along = await measurePath(architecture, path.path, data, {
      points,
      statistics,
      statisticsData,
      batchSize,
      signal,
      onProgress: ({ done }) => onProgress?.({ done: (index + done) / named.length, set: name }),
    });
    measured.push(describeSet(name, data, { path: along, tolerance }));
  }
  return {
    kind: "mechanisms",
    sets: measured,
    connected: measured.every(({ connected }) => connected),
    similar: measured.every(({ gap }) => gap <= tolerance),
    tolerance,
    path: path.name,
    statistics,
    ...(statistics !== "keep" && { statisticsData: statisticsData.name }),
    a: a.source,
    b: b.source,
    engine: architecture.engine.name,
  };
}

function firstOf(data: DataSet): DataSet {
  return limitExamples(ATTEMPT, data, STATISTICS_EXAMPLES);
}

function describeSet(
  name: string,
  data: DataSet,
  { path, tolerance }: Pick<MechanismSet, "path"> & { readonly tolerance: number },
): MechanismSet {
  const t = path.points.map((point) => point.t);
  const valuesOf = (measure: "loss" | "error") =>
    barrierValues(
      t,
      path.points.map((point) => point[measure]),
    );
  const barrier = { loss: valuesOf("loss"), error: valuesOf("error") };
  const gap = Math.abs(
    at(path.points, 0, "end").error - at(path.points, path.points.length - 1, "end").error,
  );
  const connected = barrier.error.chord <= tolerance;
  return { name, data: data.name, examples: data.size, path, barrier, gap, connected };
}
