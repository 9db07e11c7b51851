import {
  at,
  BATCH_SIZE_FIELD,
  type Checkpoint,
  choiceField,
  createCheckpoint,
  defaultsOf,
  entry,
  examplesField,
  type FieldsOf,
  resolveFields,
} from "@isthmus/core";
import { bindWeights, type DataSet, limitExamples, probeGraph } from "@isthmus/graph";
import { type ExamplesProgress, type PairStatistics, pairStatistics } from "@isthmus/statistics";
import { type Alignment, exchangeParts, type SymmetricArchitecture, wholeAlignment } from "@isthmus/symmetry";
import { createAssignmentSolver } from "../assignment/create-assignment-solver.ts";
import {
  createPlacementExpander,
  identityPlacement,
  type PlacementExpander,
} from "../coordinate-descent/placement.ts";
import { solveBlock } from "../coordinate-descent/solve-block.ts";
import { type Block, createUnitTree, type Member } from "../coordinate-descent/unit-tree.ts";
import { matchExchanges } from "../learned/match-exchanges.ts";
import { findActivationViews, type MemberView } from "./activation-views.ts";
import { ACTIVATION_CHOICES, type ActivationChoice } from "./compared-values.ts";
import { addScaled, addScaledProducts, frameCosts } from "./kernels/costs.ts";

/** Options of {@link matchActivations} that decide what is matched. */
export interface ActivationsChoice {
  /** Examples to take, from the first. @defaultValue 10000 */
  readonly examples?: number;
  /** Examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
  /** Measure of how alike two units are, by their activations. @defaultValue "correlation" */
  readonly similarity?: ActivationSimilarity;
  /** Values by which units are compared, all with equal weight. @defaultValue "read" */
  readonly values?: ActivationChoice;
}

/** Options of {@link matchActivations}. */
export interface MatchActivationsOptions extends ActivationsChoice {
  /** Signal that stops the matching. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /** Called with the number of examples that were seen, and the number of all. */
  readonly onProgress?: ((progress: ExamplesProgress) => void) | undefined;
}

/**
 * Measures of how similar two units are, from their activations over the same samples: their correlation,
 * their covariance, or the mean of their product, as in the reference implementation of Git Re-Basin.
 */
const SIMILARITIES = ["correlation", "covariance", "product"] as const;

/** A measure of how similar two units are, from their activations. */
export type ActivationSimilarity = (typeof SIMILARITIES)[number];

/** Fields of {@link ActivationsChoice}. */
export const ACTIVATIONS_FIELDS: FieldsOf<ActivationsChoice> = {
  examples: examplesField({ least: 1, default: 10_000, help: "match by the first n examples only" }),
  batchSize: BATCH_SIZE_FIELD,
  similarity: choiceField(SIMILARITIES, {
    default: "correlation",
    help: "how alike two units are, by their activations",
  }),
  values: choiceField(ACTIVATION_CHOICES, {
    default: "read",
    help: "values by which units are compared: the ones that layers read, or all",
  }),
};

const RUN: Required<Omit<MatchActivationsOptions, keyof ActivationsChoice>> = {
  signal: undefined,
  onProgress: undefined,
};

/** Defaults of {@link matchActivations}. */
export const MATCH_ACTIVATIONS_DEFAULTS: Required<MatchActivationsOptions> = {
  ...defaultsOf(ACTIVATIONS_FIELDS),
  ...RUN,
};

/** Result of {@link matchActivations}. */
export interface MatchActivationsResult {
  /**
   * Alignment that permutes B so that its units behave as much like the units of A as any permutation allows.
   */
  readonly alignment: Alignment;
  /**
   * Similarity of units in the same place, summed over all units and averaged over the values that carry
   * them.
   */
  readonly objective: { readonly before: number; readonly after: number };
  /** Examples that were seen. */
  readonly examples: number;
  /** Names of the values that were compared, in order of computation. */
  readonly values: readonly string[];
}

/**
 * Finds the element of the symmetry group under which the units of network B behave most like the units of
 * network A on data.
 *
 * Both networks see the same examples; for each symmetry the similarities of all pairs of units, over all
 * values that carry them, are the costs of one assignment, solved exactly (Li et al. 2016; Ainsworth et al.
 * 2023, section 3.1). Symmetries nested in others are solved together with them: the best assignment within
 * each pair of cells is the cost of pairing the cells. Exact and without random choices, as no symmetry
 * depends on another. Equal units stay in place.
 *
 * @throws MismatchError if a checkpoint does not fit the graph
 * @throws InputError if the data do not fit the graph, or activations are not finite
 * @throws OutOfRangeError if an option is out of range
 */
export async function matchActivations(
  { graph, engine, symmetries }: SymmetricArchitecture,
  networks: readonly [Checkpoint, Checkpoint],
  data: DataSet,
  options: MatchActivationsOptions = {},
): Promise<MatchActivationsResult> {
  const resolved = resolveFields("match activations", ACTIVATIONS_FIELDS, options, RUN);
  const { batchSize, signal, onProgress, similarity, values } = resolved;
  const { spec } = symmetries;
  const seen = limitExamples("match activations", data, resolved.examples);
  const tree = createUnitTree(spec);
  const expander = createPlacementExpander(spec);
  const probe = await probeGraph({ graph, engine }, { batch: symmetries.batch + 1 });
  const views = findActivationViews({ graph, permutations: symmetries, probe, tree, expander }, values);
  const [a, unordered] = networks;
  const exchanges = symmetries.whole?.joined?.exchanges ?? [];
  const orders = await matchExchanges({ graph, engine }, networks, exchanges, {
    data: seen,
    examples: seen.size,
    batchSize,
    signal,
  });
  const b = exchanges.length === 0 ? unordered : exchangeParts(unordered, exchanges, orders);
  const held = [
    createCheckpoint(await bindWeights(graph, a)),
    createCheckpoint(await bindWeights(graph, b)),
  ] as const;
  const measure = async (
    compared: readonly MemberView[],
    { over, ...rest }: Pick<Required<MatchActivationsOptions>, "onProgress"> & { readonly over: DataSet },
  ) => {
    const unitViews = compared.map(({ view }) => view);
    const pass = { batchSize, signal, ...rest };
    const statistics = await pairStatistics({ graph, engine }, held, over, { views: unitViews, ...pass });
    return costsOf(tree.blocks, compared, statistics, similarity);
  };
  const first = views.filter(({ chosen }) => chosen);
  const costs = await measure(first, { over: seen, onProgress });
  const silent = views.filter(({ member, chosen }) => !chosen && hasSilent(entry(costs, member, "member")));
  if (silent.length > 0) {
    const some = limitExamples("match activations", seen, HEARSAY_EXAMPLES);
    const further = await measure(silent, { over: some, onProgress: undefined });
    for (const [member, cost] of costs) addScaled(cost, entry(further, member, "member"), HEARSAY);
  }
  const source = place(tree.blocks, costs, { expander, placement: identityPlacement(spec) });
  const identity = Int32Array.from(source.keys());
  return {
    alignment: wholeAlignment(symmetries, { source }, orders),
    objective: { before: objectiveOf(costs, identity), after: objectiveOf(costs, source) },
    examples: seen.size,
    values: [...new Set([...first, ...silent].map(({ view }) => view.value))],
  };
}

/**
 * Weight of values that were not chosen, relative to the chosen ones. They decide between units that never
 * fire in the chosen values, and are too small to move others.
 */
const HEARSAY = 1e-3;

/**
 * Most examples on which such values are compared: little depends on them, and the networks run once more for
 * it.
 */
const HEARSAY_EXAMPLES = 1000;

/** Checks whether some unit of A or of B is similar to no other, such as a unit that never fires. */
function hasSilent(cost: Float64Array): boolean {
  const units = Math.sqrt(cost.length);
  const rows = new Uint8Array(units);
  const columns = new Uint8Array(units);
  cost.forEach((value, i) => {
    if (value === 0) return;
    rows[Math.floor(i / units)] = 1;
    columns[i % units] = 1;
  });
  return rows.includes(0) || columns.includes(0);
}

/**
 * Computes the mean similarity of all pairs of units of each member over the values that carry it,
 * `[units, units]`.
 */
function costsOf(
  blocks: readonly Block[],
  views: readonly MemberView[],
  statistics: readonly PairStatistics[],
  similarity: ActivationSimilarity,
): Map<Member, Float64Array> {
  const costs = new Map<Member, Float64Array>();
  for (const member of blocks.flatMap(({ members }) => members)) {
    const units = member.symmetry.cells.length * member.symmetry.size;
    const cost = new Float64Array(units * units);
    const ofMember = statistics.filter((_, i) => at(views, i, "view").member === member);
    for (const statistic of ofMember) addSimilarity(statistic, similarity, cost);
    costs.set(member, ofMember.length > 1 ? cost.map((sum) => sum / ofMember.length) : cost);
  }
  return costs;
}

/** Bonus for staying in place, relative to the largest cost: more than rounding, so that equal units stay. */
const STAY = 1e-6;

/** Solves block by block, parents before symmetries whose cells have several parents. */
function place(
  blocks: readonly Block[],
  costs: ReadonlyMap<Member, Float64Array>,
  start: { readonly expander: PlacementExpander; readonly placement: readonly Int32Array[] },
): Int32Array {
  const placement = [...start.placement];
  for (const block of blocks) {
    const frame = start.expander.expand(placement);
    const framed = new Map(block.members.map((member) => [member, frameCost(member, costs, frame)]));
    const largest = Math.max(...block.members.map(({ symmetry }) => symmetry.size));
    const solver = createAssignmentSolver(largest, largest);
    for (const [index, choices] of solveBlock(block, framed, { solver, duals: new Map() })) {
      placement[index] = choices;
    }
  }
  return start.expander.expand(placement);
}

/** Returns costs with the units of B in the places to which their parents in other blocks have taken them. */
function frameCost(
  member: Member,
  costs: ReadonlyMap<Member, Float64Array>,
  frame: Int32Array,
): Float32Array {
  const cost = entry(costs, member, "member");
  const { firstUnit } = member.symmetry;
  const units = Math.sqrt(cost.length);
  const stay = STAY * cost.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || STAY;
  const columns = frame.subarray(firstUnit, firstUnit + units).map((unit) => unit - firstUnit);
  return frameCosts(cost, columns, stay);
}

function objectiveOf(costs: ReadonlyMap<Member, Float64Array>, source: Int32Array): number {
  let objective = 0;
  for (const [{ symmetry }, cost] of costs) {
    const units = Math.sqrt(cost.length);
    for (let unit = 0; unit < units; unit++) {
      const from = at(source, symmetry.firstUnit + unit, "unit") - symmetry.firstUnit;
      objective += at(cost, unit * units + from, "pair");
    }
  }
  return objective;
}

/** Deviation, relative to the mean, up to which a unit counts as constant: rounding of f32 makes as much. */
const CONSTANT = 1e-6;

/**
 * Adds the similarity of all units of A and of B, `[units, units]`. A unit that never varies is similar to no
 * other: 0, never NaN.
 */
function addSimilarity(
  { a, b, covariance }: PairStatistics,
  similarity: ActivationSimilarity,
  out: Float64Array,
): void {
  const ofA = scalesOf(a, similarity);
  const ofB = scalesOf(b, similarity);
  addScaledProducts(covariance, a.mean, b.mean, ofA, ofB, similarity !== "product", out);
}

/** Computes the factor of each unit: one over its deviation for correlations, otherwise 1. */
function scalesOf({ mean, variance }: PairStatistics["a"], similarity: ActivationSimilarity): Float64Array {
  return variance.map((value, unit) => {
    if (similarity !== "correlation") return 1;
    const deviation = Math.sqrt(value);
    return deviation > CONSTANT * Math.abs(at(mean, unit, "unit")) ? 1 / deviation : 0;
  });
}
