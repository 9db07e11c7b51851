import {
  at,
  BATCH_SIZE_FIELD,
  type Checkpoint,
  type FieldsOf,
  OutOfRangeError,
  resolveFields,
} from "@isthmus/core";
import {
  type Architecture,
  assertNetwork,
  type ClassProbabilities,
  type DataSet,
  limitExamples,
} from "@isthmus/graph";
import { countBatchNorms, STATISTICS_EXAMPLES } from "@isthmus/statistics";
import { meanOfWeights } from "./collect/mean-of-weights.ts";
import type { EnsembleResult } from "./ensemble-result.ts";
import {
  GREEDY_FIELDS,
  type GreedyChoice,
  type SelectGreedilyOptions,
  selectGreedily,
} from "./greedy/select-greedily.ts";
import type { NetworkStream } from "./predictions/average-predictions.ts";
import { createJudge, type JudgedPredictor, meanQuality } from "./predictions/create-judge.ts";
import { openClassifier } from "./predictions/keep-predictions.ts";
import { readLabels } from "./predictions/read-labels.ts";

/**
 * Predictor whose networks are made one by one, and whose averaged predictions are compared with ensembles.
 */
export interface FurtherPredictor {
  /** Name of the predictor in figures and tables. */
  readonly name: string;
  /** Number of networks, for progress. */
  readonly members: number;
  /** Networks of the ensemble; each is made when it is evaluated. */
  readonly networks: NetworkStream;
}

/** Progress of {@link compareEnsembles}. */
export interface CompareEnsemblesProgress {
  /** Share of the work that is done, in `[0, 1]`. */
  readonly done: number;
}

/** Options of {@link compareEnsembles} that are plain data. */
export interface CompareEnsemblesChoice extends SelectGreedilyOptions {
  /** Number of examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
}

/** Fields of {@link CompareEnsemblesChoice}. */
export const COMPARE_ENSEMBLES_FIELDS: FieldsOf<CompareEnsemblesChoice> = {
  ...GREEDY_FIELDS,
  batchSize: BATCH_SIZE_FIELD,
};

/** Inputs of a comparison of ensembles beside its plain options. */
interface EnsemblesRun {
  /**
   * Examples by which the greedy ensemble is chosen; they must be neither training examples nor among the
   * predicted ones.
   * @defaultValue none: no greedy ensemble
   */
  readonly selectionData?: DataSet | undefined;
  /** Other data, for which predictors should have low confidence; labels are not used. @defaultValue none */
  readonly others?: readonly DataSet[];
  /** Further predictors, such as networks on the rays of a star. @defaultValue none */
  readonly further?: readonly FurtherPredictor[];
  /**
   * Examples on which batch norms of the mean of the weights are measured.
   * @defaultValue the first 2,500 of the predicted ones
   */
  readonly statisticsData?: DataSet | undefined;
  /**
   * Folder that stores the predictions of each network, so that an interrupted comparison, or one of more
   * networks, need not compute them again.
   * @defaultValue none are stored
   */
  readonly predictionsPath?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: CompareEnsemblesProgress) => void) | undefined;
}

/** Options of {@link compareEnsembles}. */
export interface CompareEnsemblesOptions extends CompareEnsemblesChoice, EnsemblesRun {}

const RUN_DEFAULTS: Required<EnsemblesRun> = {
  selectionData: undefined,
  others: [],
  further: [],
  statisticsData: undefined,
  predictionsPath: undefined,
  signal: undefined,
  onProgress: undefined,
};

const ATTEMPT = "compare ensembles";

/**
 * Compares ways to predict by several networks of one architecture: by single networks, whose qualities are
 * averaged; by the mean of their weights, with batch norms measured again; by an ensemble of all, whose class
 * probabilities are averaged; by an ensemble chosen greedily, see {@link selectGreedily}; and by further
 * predictors.
 *
 * Predictions do not change under the symmetries of a network. The mean of weights changes: align networks
 * first, unless one was trained from the other.
 * @throws OutOfRangeError if there are no networks, or an option is out of its range
 * @throws MismatchError if a network does not fit the graph, or a label is not a class
 * @throws InputError if the data do not fit the graph
 * @throws DOMException named AbortError if `signal` is aborted
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { compareEnsembles, createOnnxRuntimeEngine, openDataSet, parseNetwork } from "isthmus";
 *
 * const data = await openDataSet("mnist:test@100");
 * const { graph, initialize } = parseNetwork("mlp:8", data);
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 * const networks = [0, 1, 2].map(initialize); // trained ones, as a rule
 * const { predictors } = await compareEnsembles(architecture, networks, data);
 * const [single, , ensemble] = predictors;
 * assert(single && ensemble && ensemble.nll <= single.nll); // by Jensen's inequality
 * ```
 */
export async function compareEnsembles(
  { graph, engine }: Architecture,
  networks: readonly Checkpoint[],
  data: DataSet,
  options: CompareEnsemblesOptions = {},
): Promise<EnsembleResult> {
  const resolved = resolveFields(ATTEMPT, COMPARE_ENSEMBLES_FIELDS, options, RUN_DEFAULTS);
  if (networks.length === 0)
    throw new OutOfRangeError(`Cannot ${ATTEMPT} as there must be at least one network: there are none`);
  for (const network of networks) assertNetwork(graph, network);
  const { others, further, selectionData, batchSize, predictionsPath, signal } = resolved;
  const onNetwork = createCounter(networks.length, resolved);
  const greedy =
    selectionData &&
    (await chooseGreedily({ graph, engine, networks }, selectionData, { ...resolved, onNetwork }));
  const judge = createJudge(
    { graph, engine, data, others },
    { batchSize, predictionsPath, signal, onNetwork },
  );
  const all = await judge("ensemble of all", networks);
  const mean = await meanOfWeights({ graph, engine }, networks, {
    data: resolved.statisticsData ?? limitExamples(ATTEMPT, data, STATISTICS_EXAMPLES),
    signal,
  });
  const predictors: JudgedPredictor[] = [
    { name: "single networks", members: 1, ...meanQuality(all.singles), reliability: [] },
    (await judge("mean of weights", [mean])).predictor,
    all.predictor,
  ];
  if (greedy !== undefined) {
    const chosen = greedy.map(({ index }) => at(networks, index, "network"));
    predictors.push((await judge("greedy ensemble", chosen)).predictor);
  }
  for (const { name, networks: stream } of further) predictors.push((await judge(name, stream)).predictor);
  return {
    kind: "ensemble",
    predictors,
    networks: all.singles.map((quality, i) => ({ network: at(networks, i, "network").source, ...quality })),
    ...(greedy &&
      selectionData && { greedy: describeChoice(greedy, networks, { ...resolved, selectionData }) }),
    others: others.map((other) => ({ data: other.name, examples: other.size })),
    recalibrated: countBatchNorms(graph) > 0,
    data: data.name,
    examples: data.size,
    engine: engine.name,
  };
}

/** Returns a function that counts a network as run, and announces the share of networks that were run. */
function createCounter(
  networks: number,
  { selectionData, further, members, onProgress }: Required<CompareEnsemblesOptions>,
): () => void {
  const chosen = selectionData === undefined ? 0 : networks + (members ?? Math.ceil(networks / 2));
  const total = networks + 1 + chosen + further.reduce((sum, one) => sum + one.members, 0);
  let completed = 0;
  return () => {
    completed += 1;
    onProgress?.({ done: Math.min(1, completed / total) });
  };
}

async function chooseGreedily(
  { graph, engine, networks }: Architecture & { readonly networks: readonly Checkpoint[] },
  data: DataSet,
  options: Required<CompareEnsemblesOptions> & { readonly onNetwork: () => void },
): Promise<GreedyChoice[]> {
  const { members, diversity, batchSize, predictionsPath: folder, signal, onNetwork } = options;
  const classifier = await openClassifier({ graph, engine }, data, { batchSize, folder });
  try {
    const pool: ClassProbabilities[] = [];
    for (const network of networks) {
      pool.push(await classifier.classify(network, signal));
      onNetwork();
    }
    return selectGreedily(pool, readLabels(data), { members, diversity });
  } finally {
    await classifier.release();
  }
}

function describeChoice(
  choices: readonly GreedyChoice[],
  networks: readonly Checkpoint[],
  {
    members,
    diversity,
    selectionData,
  }: Required<CompareEnsemblesOptions> & { readonly selectionData: DataSet },
): NonNullable<EnsembleResult["greedy"]> {
  return {
    chosen: choices.map(({ index, ...numbers }) => ({
      network: at(networks, index, "network").source,
      ...numbers,
    })),
    members: members ?? Math.ceil(networks.length / 2),
    diversity,
    data: selectionData.name,
    examples: selectionData.size,
  };
}
