// Lists what the project reads, builds and does beside operators, each with the test that covers it. A name
// that the sources have and this list lacks is an error: of types where the names are a type, else when the
// page is written.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { CURVATURE_KINDS, LANDSCAPE_KINDS } from "@isthmus/curvature";
import type { AttackMethod, CollectMethod } from "@isthmus/ensemble";
import type { MeasurementEntry } from "@isthmus/findings";
import * as interpolation from "@isthmus/interpolation";
import { listMeasurements } from "@isthmus/measurements";
import { MERGE_METHODS, METHODS_WITH_DATA, type MergeMethod } from "@isthmus/merging";
import { SIMILARITY_MEASURES } from "@isthmus/similarity";
import { PRUNE_CHOICES } from "@isthmus/sparsity";
import { ALIGN_CHOICES } from "@isthmus/study";
import { PROJECTION_KINDS } from "@isthmus/subspace";
import { MATCH_METHODS, MATCH_SEARCHES } from "@isthmus/weight-matching";
import { MODEL_TYPES } from "@isthmus/zoo";
import type { DataKind } from "../../packages/data/src/kinds/data-kind.ts";
import { DATA_KINDS } from "../../packages/data/src/kinds/data-kinds.ts";
import { type FamilyName, GRAMMAR } from "../../packages/zoo/src/short-string/grammar.ts";
import { root } from "../packages.mjs";
import { CHECKPOINT_FORMATS } from "./checkpoint-formats.ts";
import { DEVICES } from "./devices.ts";
import { MERGING } from "./merging.ts";

/** A feature: its name, the test that covers it, and what it is. */
export interface FeatureRow {
  readonly name: string;
  readonly test: string;
  readonly what: string;
}

/** A section of the page. */
export interface FeatureList {
  readonly title: string;
  readonly rows: readonly FeatureRow[];
}

/** The test that covers a feature, and what the feature is. */
export type Described = readonly [test: string, what: string];

const MATCHING: Readonly<Record<string, Described>> = {
  weight: ["packages/weight-matching/test/match-methods.test.ts", "matches weights"],
  activation: ["packages/weight-matching/test/match-methods.test.ts", "matches activations on data"],
  "straight-through": [
    "packages/weight-matching/test/match-methods.test.ts",
    "minimises the loss half-way by a straight-through estimator",
  ],
  learned: [
    "packages/weight-matching/test/match-learned.test.ts",
    "rotates residual streams, mixes heads and learns both, for transformers",
  ],
  best: ["packages/weight-matching/test/match-weights.test.ts", "the better of both searches below"],
  "coordinate-descent": [
    "packages/weight-matching/test/coordinate-descent.test.ts",
    "searches symmetry by symmetry",
  ],
  "frank-wolfe": [
    "packages/weight-matching/test/frank-wolfe.test.ts",
    "searches all symmetries at once by a relaxation",
  ],
};

const LEARNED = "packages/study/src/tasks/learn-alignment.test.ts";
const STUDIED_PAIRS: Readonly<Record<string, Described>> = {
  none: ["packages/study/src/plan/plan-study.test.ts", "two networks of a pair as they were trained"],
  weight: ["packages/study/src/plan/plan-study.test.ts", "the second permuted to match weights"],
  activation: [LEARNED, "the second permuted to match activations"],
  learned: [LEARNED, "the second moved by the whole symmetry group: a checkpoint that measurements open"],
  temperature: [LEARNED, "the barrier also with a softmax temperature at every place"],
};

const MODELS: Readonly<Record<string, Described>> = Object.fromEntries(
  MODEL_TYPES.map((type) => [
    type,
    ["packages/zoo/test/models.test.ts", "`model_type` of a config.json of Hugging Face"],
  ]),
);

const NETWORKS: Readonly<Record<FamilyName, Described>> = {
  mlp: ["packages/zoo/test/zoo.test.ts", GRAMMAR.mlp.help],
  lenet: ["packages/zoo/test/zoo.test.ts", GRAMMAR.lenet.help],
  vgg: ["packages/zoo/test/zoo.test.ts", GRAMMAR.vgg.help],
  "small-resnet": ["packages/zoo/test/zoo.test.ts", GRAMMAR["small-resnet"].help],
  resnet: ["packages/zoo/test/zoo.test.ts", GRAMMAR.resnet.help],
  vit: ["packages/zoo/test/zoo.test.ts", GRAMMAR.vit.help],
  gpt: ["packages/zoo/test/zoo.test.ts", GRAMMAR.gpt.help],
  llama: ["packages/zoo/test/zoo.test.ts", GRAMMAR.llama.help],
};

const DROPOUT = "packages/connectivity/test/dropout.test.ts";

const DROPPED: Readonly<Record<string, Described>> = {
  "dropout stability": [DROPOUT, "loss without a share of the units of the last layers, of all layers"],
  "walked paths": [
    "packages/connectivity/test/walk.test.ts",
    "layer by layer, in steps that keep the variance, with training of the layers behind (LLPF)",
  ],
  "constructed paths": [
    DROPOUT,
    "paths through networks without half of their units, with a bound of the loss",
  ],
};

const MECHANISMS: Readonly<Record<string, Described>> = {
  cues: [
    "packages/data/src/plant-cue.test.ts",
    "patches that tell the class by place or shade, misleading ones, and images of other examples: `+cue=place:0.9`",
  ],
  "mechanistic connectivity": [
    "packages/connectivity/test/measure-mechanisms.test.ts",
    "barriers of a path on several data sets at once",
  ],
  "connectivity-based fine-tuning": [
    "packages/cli/test/cli-tune.test.ts",
    "training on so that a cue is no longer used",
  ],
};

const CURVES = "packages/interpolation/src/curve.test.ts";
const LINES = "packages/interpolation/src/interpolation.test.ts";
const PATHS: Readonly<Record<string, Described>> = {
  linear: [LINES, "`createPath()`: a straight line between two networks"],
  spherical: [LINES, "`createPath()`: spherical interpolation of two networks"],
  bezier: [CURVES, "`createCurve()`: a Bézier curve, which its bends attract"],
  chain: [CURVES, "`createCurve()`: a polygonal chain through its bends"],
  plane: ["packages/interpolation/src/plane.test.ts", "`createPlane()`: the plane through three networks"],
};

const CURVATURE: Readonly<Record<string, Described>> = {
  hessian: [
    "packages/curvature/test/curvature-golden.test.ts",
    "products with second derivatives of the mean loss, or with differences of gradients",
  ],
  "gauss-newton": [
    "packages/curvature/test/curvature-golden.test.ts",
    "products with the Gauss-Newton matrix, exactly",
  ],
  "sampled-gauss-newton": [
    "packages/curvature/test/network-measures.test.ts",
    "an estimate of it from labels that the network draws, the exact matrix on average",
  ],
  "empirical-fisher": [
    "packages/curvature/test/curvature-golden.test.ts",
    "products with the empirical Fisher information",
  ],
  kfac: [
    "packages/curvature/test/kronecker.test.ts",
    "Kronecker factors of each layer, with trace, norm, determinant and damped inverse in closed form",
  ],
  ekfac: [
    "packages/curvature/test/kronecker.test.ts",
    "the same with eigenvalues that are fitted in the basis of the factors, never further from the matrix",
  ],
  eigenvalues: [
    "packages/curvature/src/top-eigenpairs.test.ts",
    "both ends of the spectrum by Lanczos' method, with residuals",
  ],
  trace: ["packages/curvature/src/estimate-trace.test.ts", "Hutch++ with a standard error"],
  density: ["packages/curvature/src/spectral-density.test.ts", "stochastic Lanczos quadrature"],
  solve: ["packages/curvature/src/solve.test.ts", "damped systems by conjugate gradients"],
  "inverse of outer products": [
    "packages/curvature/src/invert-outer-products.test.ts",
    "a damped mean of outer products of gradients, by Woodbury's identity as in M-FAC",
  ],
  layers: [
    "packages/curvature/test/network-measures.test.ts",
    "largest eigenvalue and trace of every layer or block",
  ],
  sharpness: [
    "packages/curvature/src/measure-sharpness.test.ts",
    "the rise of the loss as SAM and ASAM have it, after one step, at worst and on average",
  ],
  "critical sharpness": [
    "packages/curvature/src/critical-sharpness.test.ts",
    "curvature along an update from a few losses",
  ],
  "learning coefficient": [
    "packages/curvature/src/learning-coefficient.test.ts",
    "the local learning coefficient by stochastic gradient Langevin dynamics, with a standard error over chains",
  ],
  "canonical form": [
    "packages/curvature/test/network-measures.test.ts",
    "all of these before and after scales, signs and rotations are undone",
  ],
  history: [
    "packages/cli/test/cli-train.test.ts",
    "gradient, largest eigenvalue and trace along a training, drawn as lines",
  ],
  figures: [
    "packages/report/test/curvature-page.test.ts",
    "density, eigenvalues, bars by layer and of sharpness, and the course of the learning coefficient",
  ],
};

const SUBSPACES: Readonly<Record<string, Described>> = {
  dense: ["packages/subspace/src/projection/projection.test.ts", "normal numbers, in columns of length 1"],
  sparse: [
    "packages/subspace/src/projection/projection.test.ts",
    "a sign at a share `1 / sqrt(D)` of the places",
  ],
  fastfood: [
    "packages/subspace/src/projection/projection.test.ts",
    "diagonals, permutations and fast Walsh-Hadamard transforms",
  ],
  training: [
    "packages/training/test/train-reparameterized.test.ts",
    "steps in coordinates by any optimiser of one gradient, as PyTorch makes them",
  ],
  "intrinsic dimension": [
    "packages/subspace/test/measure-intrinsic-dimension.test.ts",
    "the smallest dimension that reaches 90 % of the full accuracy, with an interval",
  ],
};

const ENSEMBLES: Readonly<
  Record<
    | CollectMethod
    | AttackMethod
    | "ensemble"
    | "greedy"
    | "quality"
    | "pareto"
    | "hypervolume"
    | "posterior"
    | "spro"
    | "control",
    Described
  >
> = {
  swa: [
    "packages/ensemble/test/collect-networks.test.ts",
    "networks at the end of each cycle and the mean of their weights, batch norms measured anew",
  ],
  fge: [
    "packages/ensemble/src/collect/plan-collection.test.ts",
    "networks where a rate that falls and rises is lowest",
  ],
  lgv: ["packages/ensemble/test/collect-networks.test.ts", "networks several times an epoch at a high rate"],
  ensemble: [
    "packages/ensemble/test/compare-ensembles.test.ts",
    "single networks, mean of weights, ensemble of all, greedy ensemble and a star's rays, compared",
  ],
  greedy: [
    "packages/ensemble/src/greedy/select-greedily.test.ts",
    "networks chosen one after another by likelihood and a diversity term",
  ],
  quality: [
    "packages/ensemble/test/ensemble-golden.test.ts",
    "accuracy, NLL, ECE, Brier score, AUROC of errors and of other data",
  ],
  posterior: [
    "packages/ensemble/test/bootstrap-posterior.test.ts",
    "networks trained on examples of Dirichlet weights, beside a prior network's predictions",
  ],
  spro: [
    "packages/ensemble/test/simplex-vertices.test.ts",
    "vertices of a simplex of low loss, trained away from one another; networks drawn from it",
  ],
  control: [
    "packages/ensemble/test/simplex-vertices.test.ts",
    "networks as far from a start as collected ones, in random directions",
  ],
  pareto: [
    "packages/ensemble/test/pareto.test.ts",
    "one network a task in one run, the front of the networks between them, beside weighted sums",
  ],
  hypervolume: ["packages/ensemble/src/pareto/hypervolume.test.ts", "exact, for any number of objectives"],
  fgsm: ["packages/ensemble/test/ensemble-golden.test.ts", "one step of the gradient's sign or direction"],
  pgd: [
    "packages/ensemble/test/ensemble-golden.test.ts",
    "several steps brought back to the distance, L-infinity or L2; by one network, several together or in turn",
  ],
};

const SPARSITY: Readonly<Record<string, Described>> = {
  global: [
    "packages/sparsity/test/pruning-golden.test.ts",
    "the least weights of all, as PyTorch prunes them",
  ],
  layer: [
    "packages/sparsity/test/pruning-golden.test.ts",
    "the least of each weight, by one share or several",
  ],
  units: [
    "packages/sparsity/test/pruning-laws.test.ts",
    "whole neurons, channels and heads, by the weights that compute and read them",
  ],
  masks: ["packages/sparsity/test/masked-training.test.ts", "training with pruned weights held at zero"],
  gradual: [
    "packages/sparsity/test/masked-training.test.ts",
    "sparsity that rises along a training by a cubic schedule",
  ],
  "lottery tickets": [
    "packages/sparsity/test/masked-training.test.ts",
    "rounds of training and pruning that go back to early weights",
  ],
  "tickets by evolution": [
    "packages/sparsity/test/tickets.test.ts",
    "rounds of evolution strategies that prune by the ratio of mean to standard deviation",
  ],
  annealing: ["packages/sparsity/test/tickets.test.ts", "pruned weights that fade while training goes on"],
  "8 and 4 bits": [
    "packages/sparsity/test/pruning-golden.test.ts",
    "weights on a grid, by channel or tensor, as PyTorch rounds them",
  ],
};

const SIMILARITY: Readonly<Record<string, Described>> = {
  "linear-cka": [
    "packages/similarity/test/similarity-golden.test.ts",
    "centred kernel alignment: unbiased, biased, or by minibatches; streamed over examples",
  ],
  "rbf-cka": ["packages/similarity/test/similarity-golden.test.ts", "the same with a Gaussian kernel"],
  svcca: [
    "packages/similarity/test/similarity-golden.test.ts",
    "mean canonical correlation of leading directions",
  ],
  pwcca: ["packages/similarity/test/similarity-golden.test.ts", "correlations weighted by the features of A"],
  procrustes: [
    "packages/similarity/test/similarity-golden.test.ts",
    "the distance that the best rotation leaves",
  ],
  relative: [
    "packages/similarity/test/similarity-golden.test.ts",
    "cosines with anchors: mean cosine, reciprocal rank, Jaccard index of neighbours",
  ],
};

const LANDSCAPES: Readonly<Record<string, Described>> = {
  random: [
    "packages/curvature/test/landscape-golden.test.ts",
    "normal directions, scaled to the size of every filter, every layer or the network, or plain",
  ],
  eigenvectors: [
    "packages/curvature/test/landscape-golden.test.ts",
    "eigenvectors of the Hessian's largest eigenvalues",
  ],
  trajectory: [
    "packages/curvature/test/measure-landscape.test.ts",
    "principal components of a training run, with its way and the variance they explain",
  ],
  networks: ["packages/curvature/test/measure-landscape.test.ts", "differences to other networks"],
  initialization: [
    "packages/curvature/test/measure-landscape.test.ts",
    "the line from an initialization: the largest rise, and barriers",
  ],
  "merge trees": [
    "packages/curvature/src/landscape/topology/merge-tree.test.ts",
    "minima, saddles, persistence and saddle-minimum average distance of grids of any dimension",
  ],
};

/** Exported functions of interpolation that are parts of the operations above. */
const PARTS =
  "arcInto assertLayerPatterns averageInto curveCoefficients distance fitsLayer innerProducts layerOf measureAngle normalizeWeights scanTensor withRanges".split(
    " ",
  );
const MAKERS = "createPath createCurve createPlane".split(" ");

/** Lists all sections but the operators. @throws Error if the sources have a name that no section has */
export function listFeatures(): FeatureList[] {
  const functions = Object.entries(interpolation).flatMap(([name, value]) =>
    typeof value === "function" && !PARTS.includes(name) && !MAKERS.includes(name) ? [name] : [],
  );
  assertComplete("matching", [...MATCH_METHODS, ...MATCH_SEARCHES], MATCHING);
  assertComplete("studies", ALIGN_CHOICES, STUDIED_PAIRS);
  assertComplete("paths", [...interpolation.PATH_KINDS, ...interpolation.CURVE_KINDS], PATHS);
  assertComplete("merging", functions, MERGING);
  assertComplete("curvature", CURVATURE_KINDS, CURVATURE);
  assertComplete("subspaces", PROJECTION_KINDS, SUBSPACES);
  assertComplete("pruning", PRUNE_CHOICES, SPARSITY);
  assertComplete("similarity", SIMILARITY_MEASURES, SIMILARITY);
  assertComplete("landscapes", LANDSCAPE_KINDS, LANDSCAPES);
  assertComplete("networks", Object.keys(GRAMMAR), NETWORKS);
  return [
    { title: "Checkpoint formats", rows: rowsOf(CHECKPOINT_FORMATS) },
    { title: "Forms of data sets", rows: DATA_KINDS.flatMap(dataSetRows) },
    { title: "Families of models, by config.json", rows: rowsOf(MODELS) },
    {
      title: "Families of networks, by short string",
      rows: rowsOf(NETWORKS, (name) => GRAMMAR[name as FamilyName].example),
    },
    { title: "Matching methods and searches", rows: rowsOf(MATCHING) },
    { title: "Pairs of networks in a study", rows: rowsOf(STUDIED_PAIRS) },
    { title: "Devices", rows: rowsOf(DEVICES) },
    { title: "Interpolation paths", rows: rowsOf(PATHS) },
    {
      title: "Merge methods",
      rows: [...[...MERGE_METHODS.values()].map(methodRow), ...[...METHODS_WITH_DATA.values()].map(dataRow)],
    },
    { title: "Operations on several networks", rows: rowsOf(MERGING) },
    {
      title: "Measurements that commands, studies and workers are made of",
      rows: listMeasurements().map(measurementRow),
    },
    { title: "Curvature of losses", rows: rowsOf(CURVATURE) },
    { title: "Ensembles and attacks", rows: rowsOf(ENSEMBLES) },
    { title: "Landscapes of losses", rows: rowsOf(LANDSCAPES) },
    { title: "Networks without some units", rows: rowsOf(DROPPED) },
    { title: "Mechanisms", rows: rowsOf(MECHANISMS) },
    { title: "Random subspaces", rows: rowsOf(SUBSPACES) },
    { title: "Pruned and quantised networks", rows: rowsOf(SPARSITY) },
    { title: "Similarity of representations", rows: rowsOf(SIMILARITY) },
  ];
}

/** Describes a measurement; one test compares the options of all on every surface. */
function measurementRow({ kind, summary, way }: MeasurementEntry): FeatureRow {
  const what = way === undefined ? summary : `${summary}: ${way.help}`;
  return { name: kind, test: "test/option-surfaces.test.ts", what };
}

/** Describes a merge method; all of them pass one suite. */
function methodRow({ name, description }: MergeMethod): FeatureRow {
  return { name, test: "packages/merging/src/conformance.test.ts", what: description };
}

function dataRow({ name, description }: MergeMethod): FeatureRow {
  return { name, test: "packages/recipe/src/plan/measured-recipes.test.ts", what: description };
}

/** Lists the forms of names of a kind of data, with the test of the kind or else of all. */
function dataSetRows({ name, forms }: DataKind): FeatureRow[] {
  const [word = name] = /^[a-z-]+/.exec(name) ?? [];
  const tests = [`kinds/${word}.test.ts`, `read-${word}.test.ts`, "open-data-set.test.ts"];
  const test = tests.map((file) => `packages/data/src/${file}`).find((path) => existsSync(join(root, path)));
  return forms.map(({ form, what }) => ({ name: form, test: test ?? "", what }));
}

function rowsOf(
  features: Readonly<Record<string, Described>>,
  nameOf = (name: string) => name,
): FeatureRow[] {
  return Object.entries(features).map(([name, [test, what]]) => ({ name: nameOf(name), test, what }));
}

function assertComplete(
  title: string,
  names: readonly string[],
  features: Readonly<Record<string, Described>>,
): void {
  const missing = names.filter((name) => !Object.hasOwn(features, name));
  if (missing.length > 0) throw new Error(`tools/features/lists.ts lacks ${missing.join(", ")} of ${title}`);
}
