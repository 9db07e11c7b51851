import { type Checkpoint, OutOfRangeError } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";
import type { NormPolicy } from "@isthmus/statistics";
import { type Journal, type JournalRun, openJournal } from "@isthmus/tasks";
import {
  type CorrectedEvaluator,
  createCorrectedEvaluator,
  type EvaluatedArchitecture,
} from "./create-corrected-evaluator.ts";
import type { LossAndError } from "./decomposition-result.ts";

/** Progress of {@link evaluateGrid}. */
export interface GridProgress {
  /** Share of the work that is done, in `[0, 1]`. */
  readonly done: number;
  /** Networks measured so far, of `total`. */
  readonly completed: number;
  /** Number of networks to measure, of the grid and beside it. */
  readonly total: number;
}

/** Grid of places at which networks are evaluated, and single networks. */
export interface GridTask {
  /** Words for the attempt in error messages, for example `measure a plane`. */
  readonly attempt: string;
  /** Coordinates along every axis, at least one each. */
  readonly axes: readonly (readonly number[])[];
  /** Returns the network at a place, which has one coordinate for each axis. */
  readonly at: (place: readonly number[]) => Checkpoint;
  /** Networks that are evaluated by themselves after the grid. */
  readonly networks: readonly Checkpoint[];
  /** Description of all inputs that decide the numbers of the grid, which must match that in the journal. */
  readonly run: JournalRun;
}

/** Opens a journal of the rows of a grid by the description of all inputs that decide their numbers. */
export type OpenRows = (run: JournalRun) => Promise<Pick<Journal, "get" | "has">>;

/** Options of {@link evaluateGrid}. */
export interface EvaluateGridOptions {
  /** Treatment of batch norms of all networks. */
  readonly statistics: NormPolicy;
  /** Examples on which statistics are measured; the first 2,500 of the evaluated ones if missing. */
  readonly statisticsData?: DataSet | undefined;
  /** Number of examples in one engine call. */
  readonly batchSize: number;
  /** File that stores finished rows, and from which the same measurement resumes. */
  readonly journalPath?: string | undefined;
  /**
   * Opens the journal of the rows, such as a part of the journal of a larger measurement.
   * @defaultValue the journal at `journalPath`
   */
  readonly openRows?: OpenRows | undefined;
  /** Signal that stops the measurement; finished rows stay in the journal. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /** Called after each network. @defaultValue nothing is called */
  readonly onProgress?: ((progress: GridProgress) => void) | undefined;
}

/** Result of {@link evaluateGrid}. */
export interface EvaluatedGrid {
  /** Losses of all places in row-major order: along the last axis first. */
  readonly loss: readonly number[];
  /** Errors of all places, in the same order. */
  readonly error: readonly number[];
  /** Loss and error of each of the single networks; the loss is NaN if it is not a number. */
  readonly networks: readonly LossAndError[];
}

/**
 * Evaluates networks at every place of a grid of one or more axes, and single networks after it, all on the
 * same examples. With a `journalPath`, a measurement that was killed resumes with the unfinished row, and
 * gives the same bytes.
 * @throws InputError if the data do not fit the graph
 * @throws MismatchError if the journal is of another measurement
 * @throws OutOfRangeError if an axis has no place
 * @throws DOMException named AbortError if `signal` is aborted
 */
export async function evaluateGrid(
  architecture: EvaluatedArchitecture,
  task: GridTask,
  options: EvaluateGridOptions,
): Promise<EvaluatedGrid> {
  const { attempt, axes, networks: singles } = task;
  const [last, ...others] = axes.toReversed();
  if (last === undefined || axes.some((places) => places.length === 0)) {
    throw new OutOfRangeError(
      `Cannot ${attempt} as its grid must have at least one place along every axis: it has ${axes.map(({ length }) => length).join(" by ") || "no axis"}`,
    );
  }
  const rows = productOf(others.toReversed());
  const { openRows = (run: JournalRun) => openJournal(options.journalPath, run) } = options;
  const journal = await openRows(task.run);
  const { statistics, statisticsData, batchSize, signal } = options;
  const evaluator = await createCorrectedEvaluator(architecture, {
    attempt,
    allowNonFinite: true,
    statistics,
    statisticsData,
    batchSize,
    signal,
  });
  try {
    const finished = last.length * rows.filter((_, row) => journal.has(rowKey(row))).length;
    const total = last.length * rows.length + singles.length;
    const evaluate = countEvaluations(evaluator, { finished, total }, options);
    const measured = await evaluateRows({ rows, last, at: task.at }, { journal, evaluate });
    const networks: LossAndError[] = [];
    for (const network of singles) networks.push(await evaluate(network));
    return { ...measured, networks };
  } finally {
    await evaluator.release();
  }
}

/** Lists the places of a grid, of which the last coordinate varies fastest. */
function productOf(axes: readonly (readonly number[])[]): readonly number[][] {
  return axes.reduce<number[][]>(
    (places, axis) => places.flatMap((place) => axis.map((coordinate) => [...place, coordinate])),
    [[]],
  );
}

type Evaluate = (network: Checkpoint) => Promise<LossAndError>;

/** Returns a function that evaluates networks and reports how many are done. */
function countEvaluations(
  evaluator: CorrectedEvaluator,
  { finished, total }: { readonly finished: number; readonly total: number },
  { signal, onProgress }: Pick<EvaluateGridOptions, "signal" | "onProgress">,
): Evaluate {
  let completed = finished;
  return async (network) => {
    signal?.throwIfAborted();
    const { loss, error } = await evaluator.evaluate(network, []);
    completed += 1;
    onProgress?.({ done: completed / total, completed, total });
    return { loss, error };
  };
}

const rowKey = (row: number) => `row ${row}`;

/** Evaluates the rows that are not in the journal yet. */
async function evaluateRows(
  {
    rows,
    last,
    at: networkAt,
  }: {
    readonly rows: readonly (readonly number[])[];
    readonly last: readonly number[];
    readonly at: GridTask["at"];
  },
  { journal, evaluate }: { readonly journal: Pick<Journal, "get">; readonly evaluate: Evaluate },
): Promise<Pick<EvaluatedGrid, "loss" | "error">> {
  const loss: number[] = [];
  const error: number[] = [];
  for (const [row, begin] of rows.entries()) {
    const numbers = await journal.get(rowKey(row), async () => {
      const evaluations: LossAndError[] = [];
      for (const place of last) evaluations.push(await evaluate(networkAt([...begin, place])));
      return [
        ...evaluations.map((measured) => measured.loss),
        ...evaluations.map((measured) => measured.error),
      ];
    });
    loss.push(...numbers.slice(0, last.length));
    error.push(...numbers.slice(last.length));
  }
  return { loss, error };
}
