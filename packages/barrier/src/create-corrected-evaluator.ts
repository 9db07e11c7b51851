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

/** Architecture, with the engine and the examples to evaluate its networks. */
export interface EvaluatedArchitecture {
  /** Graph that all evaluated networks share. */
  readonly graph: Graph;
  /** Engine that runs the graph. */
  readonly engine: Engine;
  /** Examples to evaluate on. */
  readonly data: DataSet;
}

/** Options of {@link createCorrectedEvaluator}. */
export interface CorrectedEvaluatorOptions {
  /** Words for the attempt in error messages, for example `measure a barrier`. */
  readonly attempt: string;
  /** Treatment of the statistics of activations. */
  readonly statistics: StatisticsPolicy;
  /** Examples on which statistics are measured; the first 2,500 of the evaluated ones if missing. */
  readonly statisticsData?: DataSet | undefined;
  /**
   * Whether to fit one softmax temperature to each corrected network, on the examples on which statistics are
   * measured.
   * @defaultValue false
   */
  readonly temperature?: boolean;
  /**
   * Networks whose averaged statistics REPAIR gives to every network; only for policies of REPAIR.
   * @defaultValue none
   */
  readonly ends?: readonly Checkpoint[];
  /**
   * Whether to accept losses that are not finite, which may occur far from all trained networks.
   * @defaultValue false
   */
  readonly allowNonFinite?: boolean;
  /** Number of examples in one engine call. */
  readonly batchSize: number;
  /** Signal that stops evaluations. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
}

/** Loss and error of a corrected network, and its loss with a temperature if temperatures are fitted. */
export interface CorrectedEvaluation extends Evaluation {
  /** Loss with the temperature that was fitted; absent if temperatures are not fitted. */
  readonly tempered?: TemperedLoss;
}

/** Evaluator of networks of one architecture, which corrects the statistics of their activations. */
export interface CorrectedEvaluator {
  /**
   * Evaluates a network.
   * @param shares - share of each of `ends` in the network, `[ends]`; undefined for a network that is not to
   *   be corrected
   */
  evaluate(network: Checkpoint, shares: RepairShares | undefined): Promise<CorrectedEvaluation>;
  /** Frees the memory of the engine. */
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
        // The network is held in memory, in the graph's element types, so that nothing is rounded later and
        // files are read once.
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

/** Checks that the losses of a network are finite: otherwise all later results would be NaN. */
function assertFiniteLosses(attempt: string, { source }: Checkpoint, evaluation: CorrectedEvaluation): void {
  // If the network gives NaN only for the examples of the fit, just the loss with temperature is NaN.
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
