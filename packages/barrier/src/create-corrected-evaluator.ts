import { type Checkpoint, InputError } from "@isthmus/core";
import {
  createEvaluator,
  createTemperedEvaluator,
  type DataSet,
  type Engine,
  type Evaluation,
  type Graph,
  limitExamples,
  type TemperedLoss,
} from "@isthmus/graph";
import {
  createCorrection,
  holdInMemory,
  type RepairShares,
  STATISTICS_EXAMPLES,
  type StatisticsPolicy,
} from "@isthmus/statistics";

/** An architecture, and what to measure networks of it with. */
export interface EvaluatedArchitecture {
  readonly graph: Graph;
  readonly engine: Engine;
  /** Examples to evaluate on. */
  readonly data: DataSet;
}

/** Options of {@link createCorrectedEvaluator}. */
export interface CorrectedEvaluatorOptions {
  /** What is attempted, for messages, for example `measure a barrier`. */
  readonly attempt: string;
  /** What is done about the statistics of activations. */
  readonly statistics: StatisticsPolicy;
  /** Examples to measure statistics on; the first 2,500 of the evaluated ones if missing. */
  readonly statisticsData?: DataSet | undefined;
  /**
   * Fit one softmax temperature to each network, corrected, on the examples that statistics are measured on.
   * @defaultValue false
   */
  readonly temperature?: boolean;
  /** Networks whose statistics REPAIR gives an average of them; only for its policies. @defaultValue none */
  readonly ends?: readonly Checkpoint[];
  /** Take losses that are not finite, as far from all networks they may be. @defaultValue false */
  readonly allowNonFinite?: boolean;
  /** Examples in one engine call. */
  readonly batchSize: number;
  readonly signal?: AbortSignal | undefined;
}

/** Loss and error of a corrected network, and its loss with a temperature if one was to be fitted. */
export interface CorrectedEvaluation extends Evaluation {
  readonly tempered?: TemperedLoss;
}

/** Evaluates networks of one architecture, with the statistics of their activations corrected. */
export interface CorrectedEvaluator {
  /**
   * Evaluates a network.
   * @param shares - how much of each of `ends` is in it, `[ends]`; undefined for a network that is taken as
   *   it is
   */
  evaluate(network: Checkpoint, shares: RepairShares | undefined): Promise<CorrectedEvaluation>;
  /** Frees what the engine holds. */
  release(): Promise<void>;
}

/**
 * Prepares loss and error of any number of networks on the same examples in the same order, each corrected
 * by a policy first.
 * @throws InputError if the data do not fit the graph; `evaluate` also if a loss is NaN or infinite
 * @throws OutOfRangeError if the policy is unknown, or `batchSize` is out of range
 */
export async function createCorrectedEvaluator(
  { graph, engine, data }: EvaluatedArchitecture,
  options: CorrectedEvaluatorOptions,
): Promise<CorrectedEvaluator> {
  const { attempt, allowNonFinite = false, batchSize, signal } = options;
  const { statisticsData: measured = limitExamples(attempt, data, STATISTICS_EXAMPLES) } = options;
  const evaluator = options.temperature
    ? await createTemperedEvaluator({ graph, engine }, { data, fitted: measured }, { batchSize })
    : await createEvaluator({ graph, engine }, data, { batchSize });
  try {
    const { statistics, ends = [] } = options;
    const correct = await createCorrection({ graph, engine }, measured, {
      attempt,
      statistics,
      networks: ends,
      batchSize,
      signal,
    });
    return {
      async evaluate(network, shares) {
        // In memory and in the graph's element types, so that nothing is rounded and files are read once.
        const read = await holdInMemory({ graph, engine }, network);
        const corrected = shares === undefined ? read : await correct(read, shares);
        const evaluation = await evaluator.evaluate(corrected, signal);
        if (!allowNonFinite) assertFiniteLosses(attempt, network, evaluation);
        return evaluation;
      },
      release: () => evaluator.release(),
    };
  } catch (error) {
    await evaluator.release();
    throw error;
  }
}

/** Checks that the outputs of a network were numbers: nothing that is measured after it would be one. */
function assertFiniteLosses(attempt: string, { source }: Checkpoint, evaluation: CorrectedEvaluation): void {
  // With NaNs among the examples that it is fitted to alone, a temperature is none.
  const { tempered = evaluation } = evaluation;
  for (const { loss, losses } of [evaluation, tempered]) {
    if (Number.isFinite(loss)) continue;
    const wrong = losses.filter((value) => !Number.isFinite(value)).length;
    throw new InputError(
      `Cannot ${attempt} of "${source}" as its loss must be finite: it is ${loss}, on ${wrong} of ${losses.length} examples; the network is not trained, or its statistics do not fit it`,
      { input: source },
    );
  }
}
