import { UnsupportedError } from "@isthmus/core";
import type { MergePlan, PlannedTensor } from "@isthmus/merging";

/**
 * Kinds of methods whose result is a fixed network plus the sum of fixed directions times weights: `adds` for
 * any weights, `elects` for positive ones, if signs are elected by their number and sums are not divided.
 */
const KINDS: Readonly<Record<string, "adds" | "elects">> = {
  linear: "adds",
  task_arithmetic: "adds",
  dare_linear: "adds",
  breadcrumbs: "adds",
  della_linear: "adds",
  ties: "elects",
  dare_ties: "elects",
  breadcrumbs_ties: "elects",
  della: "elects",
};

/** Names of the methods whose weights can be learned, for messages. */
const LEARNABLE_METHODS: readonly string[] = Object.keys(KINDS);

/** Smallest weight of a network whose signs count in an election. */
export const LEAST_VOTE = 1e-6;

/** A planned tensor that is a base plus directions times weights. */
export interface AffineTensor extends PlannedTensor {
  /** Rule of the merge. */
  readonly method: NonNullable<PlannedTensor["method"]>;
}

/** Returns whether the weights of a tensor must be positive, as the signs of its networks are elected. */
export function electsSigns({ method }: Pick<AffineTensor, "method">): boolean {
  return KINDS[method.name] === "elects";
}

/** Returns the weights of a planned tensor, one for each network, in the order of the recipe. */
export function weightsOf({ parameters }: Pick<PlannedTensor, "parameters">): readonly number[] {
  return parameters["weight"] as unknown as readonly number[];
}

/** Returns whether the weights of a tensor are divided by their sum. */
export function isNormalized({ parameters }: Pick<PlannedTensor, "parameters">): boolean {
  return parameters["normalize"] === true;
}

/**
 * Lists the tensors of a plan that are merged, each of which is a base plus directions times weights.
 * @throws UnsupportedError if it is not, for the method of some tensor
 */
export function affineTensors({ tensors }: Pick<MergePlan, "tensors">): ReadonlyMap<string, AffineTensor> {
  const affine = new Map<string, AffineTensor>();
  for (const [name, planned] of tensors) {
    const { method } = planned;
    if (method === undefined) continue;
    assertAffine(name, planned, method);
    affine.set(name, { ...planned, method });
  }
  return affine;
}

function assertAffine(
  tensor: string,
  planned: PlannedTensor,
  { name }: NonNullable<PlannedTensor["method"]>,
): void {
  const feature = "coefficients from data";
  const kind = KINDS[name];
  if (kind === undefined) {
    throw new UnsupportedError(
      `Cannot learn weights of a merge by ${name} as its result must be a sum of weights times fixed changes: methods are ${LEARNABLE_METHODS.join(", ")}; isthmus search finds the numbers of other methods`,
      { feature },
    );
  }
  const { consensus_method: consensus } = planned.parameters;
  if (kind === "adds" || (consensus === "count" && !isNormalized(planned))) return;
  throw new UnsupportedError(
    `Cannot learn weights of "${tensor}" as ${name} must elect signs whatever the weights are: write consensus_method: count and normalize: false under the parameters of the recipe`,
    { feature },
  );
}
