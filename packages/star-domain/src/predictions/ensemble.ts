import { type Checkpoint, type FieldsOf, flagField, seedField, wholeField } from "@isthmus/core";
import {
  COMPARE_ENSEMBLES_FIELDS,
  type CompareEnsemblesChoice,
  compareEnsembles,
  describeEnsemble,
  type EnsembleResult,
  type FurtherPredictor,
  MOST_MEMBERS,
  networksOnSimplex,
} from "@isthmus/ensemble";
import { checkSizes, type Measurement, type Subjects } from "@isthmus/findings";
import { limitExamples } from "@isthmus/graph";
import { STATISTICS_EXAMPLES } from "@isthmus/statistics";
import type { Symmetries } from "@isthmus/symmetry";
import { align } from "@isthmus/weight-matching";
import { FIND_STAR_DEFAULTS } from "../search/find-star-options.ts";
import { RAYS_FIELD, type RayDistribution } from "../search/ray.ts";
import { networksOnRays } from "./networks-on-rays.ts";

/** Fields of {@link EnsembleChoice}. */
const ENSEMBLE_FIELDS: FieldsOf<EnsembleChoice> = {
  ...COMPARE_ENSEMBLES_FIELDS,
  rays: RAYS_FIELD,
  rayMembers: wholeField({
    least: 1,
    most: MOST_MEMBERS,
    keyed: "if-named",
    help: "networks on rays (default: as many as networks)",
  }),
  simplexMembers: wholeField({
    least: 1,
    most: MOST_MEMBERS,
    keyed: "if-named",
    help: "compare networks drawn evenly from the simplex of the networks, too (default: none)",
  }),
  align: flagField({
    default: true,
    keyed: "if-changed",
    help: "align the networks to the star before rays to them are drawn",
  }),
  seed: seedField("seed of rays, alignments and places on the simplex"),
};

const ATTEMPT = "compare ensembles";

/** Options of drawing networks that predict beside the given ones. */
interface DrawnChoice {
  /** Distribution of places on the rays of a star. @defaultValue "uniform" */
  readonly rays?: RayDistribution;
  /** Number of networks on the rays of a star. @defaultValue the number of given networks */
  readonly rayMembers?: number | undefined;
  /**
   * Number of networks that are drawn uniformly from the simplex of the given networks.
   * @defaultValue none
   */
  readonly simplexMembers?: number | undefined;
  /** Whether networks are aligned to the star before rays to them are drawn. @defaultValue true */
  readonly align?: boolean;
  /** Seed of rays, alignments and places on the simplex. @defaultValue 0 */
  readonly seed?: number;
}

/** Options of the measurement of ensembles that are plain data. */
export interface EnsembleChoice extends CompareEnsemblesChoice, DrawnChoice {}

/**
 * Measurement that compares the predictions of several networks, alone and together, also by a star of them
 * and its rays.
 */
export const ENSEMBLE: Measurement<"ensemble", EnsembleChoice, EnsembleResult> = {
  kind: "ensemble",
  // Tasks named "ensemble" measure the ensemble that a merge is compared with.
  task: "compare-ensembles",
  version: 1,
  attempt: ATTEMPT,
  subject: "ensemble",
  options: ENSEMBLE_FIELDS,
  examplesBeside: {
    selectionData: {
      help: "examples that the greedy ensemble is chosen on, neither trained on nor predicted (default: none, no greedy ensemble)",
      flag: "select-data",
      param: "selectionData",
      default: undefined,
    },
  },
  journal: { keeps: "the predictions of each network", file: "predictions", isFolder: true },
  examples: [
    [
      "--ood-data fashion-mnist:test --report ensemble.html",
      "single networks, the mean of their weights and the mean of their predictions, also as a page",
    ],
    [
      "--data idx:images.idx,labels.idx:test --select-data mnist:test@1000 --members 5",
      "an ensemble of at most five, chosen greedily, too",
    ],
    ["--star star.safetensors", "a star and the networks on its rays, too"],
  ],
  form: async () => (await import("@isthmus/ensemble/forms")).ENSEMBLE_FORM,
  findSizeProblems: ({ predictors, networks, others }) =>
    checkSizes((checks) => {
      for (const [name, list] of Object.entries({ predictors, networks }))
        for (const [i, { aurocOthers }] of list.entries())
          checks.length(`${name}.${i}.aurocOthers`, aurocOthers, others.length, '"others"');
    }),
  describe: describeEnsemble,
  titleOf: ({ networks }) => `Predictions of ${networks.length} networks, alone and together`,
  async run(subject, { members, diversity, batchSize, ...drawn }, { signal, journalPath, report }) {
    const { graph, engine, networks, data, others, beside, statisticsData } = subject;
    return compareEnsembles({ graph, engine }, networks, data, {
      members,
      diversity,
      batchSize,
      others,
      statisticsData,
      signal,
      selectionData: beside.get("selectionData"),
      further: await drawPredictors(subject, drawn, signal),
      predictionsPath: journalPath,
      onProgress: ({ done }) => report("Predicting", done),
    });
  },
};

type Ensemble = Subjects["ensemble"];

type Drawn = Required<DrawnChoice>;

/** Prepares the requested networks: the star, networks on its rays, or networks on the simplex. */
async function drawPredictors(
  subject: Ensemble,
  options: Drawn,
  signal: AbortSignal | undefined,
): Promise<readonly FurtherPredictor[]> {
  const { graph, engine, networks, star, data } = subject;
  const { seed, simplexMembers: members } = options;
  const statisticsData = subject.statisticsData ?? data;
  const predictors = star === undefined ? [] : await drawFromStar(subject, star, { ...options, signal });
  if (members === undefined) return predictors;
  const drawn = networksOnSimplex({ graph, engine }, networks, { seed, members, statisticsData, signal });
  return [...predictors, { name: "simplex", members, networks: drawn }];
}

async function drawFromStar(
  subject: Ensemble,
  star: Checkpoint,
  { rays, rayMembers, seed, signal, ...options }: Drawn & { readonly signal: AbortSignal | undefined },
): Promise<readonly FurtherPredictor[]> {
  const { graph, engine, networks: anchors } = subject;
  const { restarts } = FIND_STAR_DEFAULTS;
  const members = rayMembers ?? anchors.length;
  const statisticsData = limitExamples(
    "measure batch norms",
    subject.statisticsData ?? subject.data,
    STATISTICS_EXAMPLES,
  );
  const symmetries = options.align ? await proveSymmetries(subject, star, { seed, signal }) : undefined;
  const networks = networksOnRays(
    { graph, engine, symmetries, star, anchors },
    { seed, members, rays, restarts, statisticsData, signal },
  );
  return [
    { name: "star", members: 1, networks: [star] },
    { name: "rays of the star", members, networks },
  ];
}

/** Discovers the symmetries of the networks, and proves them by aligning one network to another. */
async function proveSymmetries(
  subject: Ensemble,
  star: Checkpoint,
  { seed, signal }: { readonly seed: number; readonly signal: AbortSignal | undefined },
): Promise<Symmetries> {
  const { graph, engine, networks } = subject;
  const symmetries = await subject.symmetries();
  const { restarts } = FIND_STAR_DEFAULTS;
  await align({ graph, engine }, [...networks, star].slice(0, 2), { symmetries, seed, restarts, signal });
  return symmetries;
}
