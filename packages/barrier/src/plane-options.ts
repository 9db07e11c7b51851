import {
  BATCH_SIZE_FIELD,
  type Checkpoint,
  choiceField,
  type FieldsOf,
  numberField,
  resolveFields,
  wholeField,
} from "@isthmus/core";
import type { DataSet, LossOption } from "@isthmus/graph";
import { CURVE_KINDS, type CurveKind, type PlanePlace } from "@isthmus/interpolation";
import { type NormPolicy, normField } from "@isthmus/statistics";
import type { GridProgress, OpenRows } from "./evaluate-grid.ts";

/** Network of a plane, and its label there. */
export interface PlaneSubject {
  /** Label of the network in figures. */
  readonly label: string;
  /** Network that spans the plane or is placed in it. */
  readonly network: Checkpoint;
}

/**
 * Three networks that span a plane: the first is the origin, the third lies on the x axis. For a curve they
 * are one end, the bend, and the other end.
 */
export type PlaneModels = readonly [PlaneSubject, PlaneSubject, PlaneSubject];

/** Progress of {@link measurePlane}. */
export type PlaneProgress = GridProgress;

/** Options of the measurement of planes that are plain data. */
export interface PlaneChoice {
  /** Number of columns, and of rows, of the grid, at least 2. @defaultValue 21 */
  readonly points?: number;
  /**
   * Margin around the three networks, as a share of their extent, at least 0; placed networks that would be
   * outside widen the grid.
   * @defaultValue 0.2
   */
  readonly margin?: number;
  /**
   * Treatment of batch norms of all networks, including `models` and `placed`.
   * @defaultValue "recalibrate"
   */
  readonly statistics?: NormPolicy;
  /** Curve to draw: from the first network to the third, with the second as its bend. @defaultValue none */
  readonly curve?: CurveKind | undefined;
  /** Number of examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
}

/** Largest number of columns of a grid: a screen shows no more. */
const MOST_COLUMNS = 500;

/** Fields of {@link PlaneChoice}. */
export const PLANE_FIELDS: FieldsOf<PlaneChoice> = {
  points: wholeField({
    least: 2,
    most: MOST_COLUMNS,
    default: 21,
    help: "number of columns of the grid, and of rows",
  }),
  margin: numberField({
    least: 0,
    placeholder: "<share>",
    default: 0.2,
    help: "space around the networks, as a share of the area that they take up",
  }),
  statistics: normField("recalibrate"),
  curve: choiceField<CurveKind>(CURVE_KINDS, {
    placeholder: "<kind>",
    help: "draw the curve from A to C that has B as its bend",
  }),
  batchSize: BATCH_SIZE_FIELD,
};

/** Inputs of a measurement of a plane beside its plain options: data, a journal, a signal, progress. */
interface PlaneRun extends LossOption {
  /** Examples on which statistics are measured. @defaultValue the first 2,500 of the evaluated ones */
  readonly statisticsData?: DataSet | undefined;
  /** File that stores finished rows, and from which the same measurement resumes. @defaultValue none */
  readonly journalPath?: string | undefined;
  /**
   * Opens a journal for finished rows in place of the file, such as a part of a larger journal.
   * @defaultValue the file at `journalPath`
   */
  readonly openRows?: OpenRows | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: PlaneProgress) => void) | undefined;
}

/** Options of {@link measurePlane}. */
export interface MeasurePlaneOptions extends PlaneChoice, PlaneRun {
  /** Further networks, each of which is placed at the nearest point of the plane. @defaultValue none */
  readonly placed?: readonly PlaneSubject[] | undefined;
}

/** Words for the attempt in error messages. */
export const PLANE_ATTEMPT = "measure a plane";

const RUN_DEFAULTS: Required<PlaneRun> = {
  loss: undefined,
  statisticsData: undefined,
  journalPath: undefined,
  openRows: undefined,
  signal: undefined,
  onProgress: undefined,
};

/**
 * Fills in the defaults of options and checks their ranges.
 * @throws UsageError if an option is unknown
 * @throws OutOfRangeError if an option is out of range
 */
export function resolvePlaneOptions(
  options: Omit<MeasurePlaneOptions, "placed">,
): Required<Omit<MeasurePlaneOptions, "placed">> {
  return resolveFields(PLANE_ATTEMPT, PLANE_FIELDS, options, RUN_DEFAULTS);
}

/** Coordinates of the columns and rows of a grid, ascending, in units of distance between weights. */
export interface PlaneGrid {
  /** Coordinates of the columns, along the axis from the first network to the third. */
  readonly xs: readonly number[];
  /** Coordinates of the rows, at right angles to the columns' axis. */
  readonly ys: readonly number[];
}

/** Options of {@link planeGrid}. */
interface PlaneGridOptions {
  /** Number of columns, and of rows, at least 2. */
  readonly points: number;
  /** Margin on each side, as a share of the extent of the places. */
  readonly margin: number;
}

/**
 * Computes an even grid around places, with a margin.
 * @param spanning - at least two places, which must differ in x and in y
 * @param others - further places, which widen the grid if they would be outside of it; otherwise they do not
 *   affect the grid
 */
export function planeGrid(
  spanning: readonly PlanePlace[],
  others: readonly PlanePlace[],
  { points, margin }: PlaneGridOptions,
): PlaneGrid {
  const around = (values: readonly number[]): [from: number, to: number] => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return [low - margin * (high - low), high + margin * (high - low)];
  };
  const axis = (coordinateOf: (place: PlanePlace) => number): number[] => {
    const coordinates = spanning.map(coordinateOf);
    const [left, right] = around(coordinates);
    const outside = others.map(coordinateOf).filter((value) => value < left || value > right);
    const [from, to] = around([...coordinates, ...outside]);
    return Array.from({ length: points }, (_, i) => from + (i / (points - 1)) * (to - from));
  };
  return { xs: axis(({ x }) => x), ys: axis(({ y }) => y) };
}
