import type { Checkpoint } from "@isthmus/core";
import {
  compareEnsembles,
  describeEnsemble,
  type EnsembleResult,
  type FurtherPredictor,
  networksOnSimplex,
} from "@isthmus/ensemble";
import { checkSizes, type Measurement, type Subjects } from "@isthmus/findings";
import { limitExamples } from "@isthmus/graph";
import { STATISTICS_EXAMPLES } from "@isthmus/statistics";
import type { Symmetries } from "@isthmus/symmetry";
import { align } from "@isthmus/weight-matching";
import { FIND_STAR_DEFAULTS } from "../search/find-star-options.ts";
import { type DrawnChoice, ENSEMBLE_FIELDS, type EnsembleChoice } from "./ensemble-options.ts";
import { networksOnRays } from "./networks-on-rays.ts";

const ATTEMPT = "compare ensembles";

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

/** Prepares the star, networks on its rays, and networks on the simplex, as far as they are requested. */
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
