import { Option } from "@commander-js/extra-typings";
import {
  CKA_ESTIMATORS,
  type CkaEstimator,
  MEASURE_SIMILARITY_DEFAULTS,
  POSITIONS,
  type Positions,
  SIMILARITY_MEASURES,
  type SimilarityMeasure,
} from "@isthmus/similarity";
import { type AddOptions, optionGroup } from "./option-group.ts";
import { parseChoices, parseCount, parseNames, parseNumber, parseSeed } from "./parse-values.ts";

/** Options that say how representations are compared. */
export type SimilarityOptions = {
  readonly values?: readonly string[] | undefined;
  readonly measures: readonly SimilarityMeasure[];
  readonly positions: Positions;
  readonly examples: number;
  readonly samples: number;
  readonly estimator: CkaEstimator;
  readonly block: number;
  readonly bandwidth: number;
  readonly variance: number;
  readonly anchors: number;
  readonly neighbours: number;
  readonly seed: number;
};

const DEFAULTS = MEASURE_SIMILARITY_DEFAULTS;

const TEXTS = {
  values:
    "values that stand for layers, for example 'layers.*' (default: what layers with weights read, and the output)",
  measures: `what is measured, of ${SIMILARITY_MEASURES.join(", ")}`,
  positions:
    "what pixels and places in sequences are: features, averaged over, or samples; auto: samples where every value is a sequence of one length",
  estimator:
    "how CKA is estimated: by HSIC of all samples, unbiased or biased, or by unbiased HSIC of blocks",
};

/** Adds the options that say how representations are compared. */
export const addSimilarityOptions: AddOptions<SimilarityOptions> = optionGroup((command) => {
  command
    .option("--values <names>", TEXTS.values, parseNames)
    .addOption(
      new Option("--measures <names>", TEXTS.measures)
        .argParser(parseChoices(SIMILARITY_MEASURES))
        .default(DEFAULTS.measures, DEFAULTS.measures.join(",")),
    )
    .addOption(
      new Option("--positions <choice>", TEXTS.positions).choices(POSITIONS).default(DEFAULTS.positions),
    )
    .option(
      "--examples <n>",
      "the most examples, the first ones; 0 for all",
      parseCount(0),
      DEFAULTS.examples,
    )
    .option(
      "--samples <n>",
      "the most samples, taken at equal distances; 0 for all",
      parseCount(0),
      DEFAULTS.samples,
    )
    .addOption(
      new Option("--estimator <name>", TEXTS.estimator).choices(CKA_ESTIMATORS).default(DEFAULTS.estimator),
    )
    .option("--block <n>", "samples of each block of --estimator minibatch", parseCount(4), DEFAULTS.block)
    .option(
      "--bandwidth <x>",
      "bandwidth of rbf-cka, as a share of the median distance",
      parseNumber,
      DEFAULTS.bandwidth,
    )
    .option(
      "--variance <x>",
      "share of the variance that directions of svcca and pwcca hold",
      parseNumber,
      DEFAULTS.variance,
    )
    .option("--anchors <n>", "anchors of relative representations", parseCount(1), DEFAULTS.anchors)
    .option(
      "--neighbours <n>",
      "nearest neighbours that relative representations are compared by",
      parseCount(1),
      DEFAULTS.neighbours,
    )
    .option("--seed <n>", "seed of anchors", parseSeed, DEFAULTS.seed);
});
