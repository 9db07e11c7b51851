import {
  at,
  bytesField,
  type Checkpoint,
  choiceField,
  defaultsOf,
  type FieldsOf,
  InputError,
  OutOfRangeError,
  type ResolvedOf,
  resolveFields,
  seedField,
  triesField,
  wholeField,
} from "@isthmus/core";
import { type Alignment, stackParts } from "@isthmus/symmetry";
import type { MatchedArchitecture } from "../match-weights.ts";
import { heldSymmetries, type SymmetrySelection } from "../search/prepare-matching.ts";
import { isScaledByNorms } from "../weights/scale-by-norms.ts";
import type { ManyJournal, ManyMatching } from "./many-matching.ts";
import { matchByTree } from "./match-by-tree.ts";
import { placeOneByOne } from "./match-in-rounds.ts";
import { matchToReference } from "./match-to-reference.ts";
import { openMatchedNetwork, viewMatchedNetwork, votingSpec } from "./matched-network.ts";
import { type MatchedObjectives, measureObjectives, measureToReference } from "./measure-objectives.ts";
import { pairsLimit, pairsObjective } from "./pairs-objective.ts";
import { fitsMemory, polish, type SearchedUniverse, searchByRelaxation } from "./search-universe.ts";
import { inCoordinatesOf } from "./universe-alignments.ts";
import { weighAll } from "./weigh-by-importance.ts";

/** Ways to match many networks: see {@link matchMany}. */
export const MANY_METHODS = ["best", "cycle", "merge-many", "tree", "reference"] as const;

/** A way to match many networks. */
export type ManyMethod = (typeof MANY_METHODS)[number];

/** Options of {@link matchMany} that choose how networks are matched. */
export interface ManyChoice {
  /**
   * `cycle` places all networks in a universe at once, by relaxing all permutations (C2M3); `merge-many`
   * places one after another and matches each to the sum of the others until none moves; `tree` matches
   * pairs, then pairs of pairs; `reference` matches each to one of them; `best` tries reference, merge-many
   * and cycle, and takes the best, matched on until nothing is gained. @defaultValue "best"
   */
  readonly many?: ManyMethod;
  /** Searches for each pair that is matched, at least 1, see `matchWeights`. @defaultValue 2 */
  readonly restarts?: number;
  /** Bytes that matching may hold; weights are then read when they are needed. @defaultValue none */
  readonly memory?: number | undefined;
}

/** Fields of {@link ManyChoice}. */
export const MANY_FIELDS: FieldsOf<ManyChoice> = {
  many: choiceField<ManyMethod>(MANY_METHODS, {
    placeholder: "<how>",
    default: "best",
    help: "how all networks are aligned to each other: each to the first (reference), each to the sum of the others in rounds (merge-many), all at once through one universe (cycle), pairs of pairs (tree), or the best of the first three, matched on",
  }),
  restarts: triesField({ least: 1, default: 2, help: "number of searches for each pair that is matched" }),
  memory: bytesField({ help: "most memory for matching, such as 4GB" }),
};

/** Options of which each may be undefined, too. */
type Loose<O> = { readonly [K in keyof O]?: O[K] | undefined };

/** Options of {@link matchMany}. */
export interface MatchManyOptions extends Loose<ManyChoice>, SymmetrySelection {
  /** Seed of all random choices. */
  readonly seed: number;
  /** Index of the network in whose coordinates the others are put. @defaultValue 0 */
  readonly reference?: number | undefined;
  /** Number of starts of `cycle`, at least 1, of which the best is taken. @defaultValue 1 */
  readonly starts?: number | undefined;
  /** Journal of results, to go on after a stop. @defaultValue none */
  readonly journal?: ManyJournal | undefined;
  /**
   * Importance of every weight of each network, such as its Fisher information or how often its input is
   * active: tensors of the weights' names and shapes, of numbers of at least 0. Weights are multiplied by the
   * roots of their importance, in place of scales of norms, and compared. @defaultValue all count alike
   */
  readonly importance?: readonly Checkpoint[] | undefined;
  /**
   * Measures the loss of what a search found, the alignments of all networks to the coordinates of the
   * reference: the search with the least loss is taken. @defaultValue the greatest objective is taken
   */
  readonly judge?: ((universe: readonly Alignment[]) => Promise<number>) | undefined;
  /** Signal that stops the matching; results in the journal stay. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /** Called with the estimated share that is done, in `[0, 1]`, and the method under way. */
  readonly onProgress?: ((progress: ManyProgress) => void) | undefined;
}

/** Progress of {@link matchMany}. */
export interface ManyProgress {
  /** Estimated share of the whole that is done, in `[0, 1]`. */
  readonly done: number;
  /** Method under way, one of the methods that `best` tries or the chosen one. */
  readonly many: Exclude<ManyMethod, "best">;
}

/** Options that are plain data. */
interface PlainOptions extends ManyChoice {
  readonly reference?: number;
  readonly starts?: number;
  readonly seed?: number;
}

const FIELDS: FieldsOf<PlainOptions> = {
  ...MANY_FIELDS,
  reference: wholeField({
    least: 0,
    default: 0,
    help: "index of the network in whose coordinates the others are put",
  }),
  starts: triesField({ least: 1, default: 1, help: "number of starts of cycle, of which the best is taken" }),
  seed: seedField("seed of all random choices"),
};

const RUN: Required<Omit<MatchManyOptions, keyof PlainOptions>> = {
  only: undefined,
  skip: undefined,
  journal: undefined,
  importance: undefined,
  judge: undefined,
  signal: undefined,
  onProgress: undefined,
};

const { seed: _, ...defaults } = defaultsOf(FIELDS);

/** The options without the seed, each with a value. */
type ResolvedOptions = ResolvedOf<Omit<PlainOptions, "seed">> & typeof RUN;

/** Defaults of {@link matchMany}; the seed has none. */
export const MATCH_MANY_DEFAULTS: ResolvedOptions = {
  ...defaults,
  ...RUN,
};

/** One search that {@link matchMany} tried. */
export interface ManySearch {
  /** Method that was tried, by its name in the options. */
  readonly many: Exclude<ManyMethod, "best">;
  /** Objective that the method reached, as `scaledObjective.after` of the whole result. */
  readonly objective: number;
  /** Loss that the judge measured; undefined without a judge. */
  readonly loss?: number;
  /** Steps of the relaxation; 0 for methods without one. */
  readonly steps: number;
  /** Rounds of polishing over all networks; 0 for methods without it. */
  readonly rounds: number;
  /**
   * Reason for the end: no block of a network can improve alone, or the rounds are used up; `converged` for
   * methods without polishing.
   */
  readonly status: SearchedUniverse["status"];
}

/** Result of {@link matchMany}. */
export interface MatchManyResult extends MatchedObjectives {
  /** Alignments, one for each network, which permute it into the coordinates of the reference. */
  readonly universe: readonly Alignment[];
  /** Sum over all pairs of networks of the inner products of their parameters that can move. */
  readonly objective: MatchedObjectives["objective"];
  /** The objective of the weights as they were matched: as batch norms scale them if a graph was given. */
  readonly scaledObjective: MatchedObjectives["scaledObjective"];
  /** Inner products of each network with the reference alone, which count in the sums. */
  readonly toReference: readonly MatchedObjectives[];
  /**
   * Upper bound on the scaled objective of all alignments; reached if all networks are permuted copies of
   * one.
   */
  readonly limit: number;
  /** Method of the result. */
  readonly many: ManySearch["many"];
  /** All searches that were tried, in order: one of each method, and one of each start of `cycle`. */
  readonly searches: readonly ManySearch[];
  /** Index of the network in whose coordinates the others are put. */
  readonly reference: number;
  /** Seed of all random choices. */
  readonly seed: number;
}

/** Relative rounding of the objective: a method this close to the limit can gain nothing more. */
const LIMIT_TOLERANCE = 1e-9;

/**
 * Finds for each of several networks the element of the symmetry group that brings all of them as close to
 * each other as possible: the sum over all pairs of the inner products of their weights is greatest.
 *
 * All alignments are to one universe, so they agree: aligning B to A and C to B is aligning C to A.
 *
 * @param networks - at least two checkpoints with the names and shapes of the specification
 * @see Crisostomi et al. 2024 (C2M3) for `cycle`; Ainsworth et al. 2023 (Git Re-Basin), algorithm 3, for
 *   `merge-many`
 * @throws InputError if there are fewer than two networks, or a weight is NaN or infinite; it is named
 * @throws MismatchError if a network does not fit the specification
 * @throws OutOfRangeError if an option is out of range
 */
export async function matchMany(
  { spec: whole, graph: named, engine }: MatchedArchitecture,
  originals: readonly Checkpoint[],
  options: MatchManyOptions,
): Promise<MatchManyResult> {
  const resolved = resolveFields("match many networks", FIELDS, options, RUN);
  const { memory, only, skip, reference, importance, seed } = resolved;
  assertNetworks(originals, reference);
  const selection = { only, skip };
  const { networks, spec: stacked } = stackParts(whole, originals);
  const spec = votingSpec(stacked);
  // No graph has stacked weights, so that norms do not scale them.
  const graph = whole.joined === undefined && importance === undefined ? named : undefined;
  const held = heldSymmetries(spec, selection);
  const weighed =
    importance === undefined ? networks : stackParts(whole, weighAll(originals, importance)).networks;
  const matched: Checkpoint[] = [];
  for (const network of weighed) {
    matched.push(await openMatchedNetwork(network, spec, { graph, kept: memory === undefined }));
  }
  const matching = { ...resolved, spec, engine, networks: matched, selection, held };
  const limit = await pairsLimit(matched);
  const objectiveOf = (universe: readonly Alignment[]) => pairsObjective(matched, universe, spec);
  const searches = await search(matching, { ...resolved, objectiveOf, limit });
  const best = bestOf(searches);
  const universe = inCoordinatesOf(best.universe, reference);
  const isScaled = importance !== undefined || (graph !== undefined && isScaledByNorms(graph));
  const raw = isScaled ? networks.map((network) => viewMatchedNetwork(network, spec)) : matched;
  const compared = { raw, scaled: matched };
  return {
    universe,
    ...(await measureObjectives(compared, universe, spec)),
    toReference: await measureToReference(compared, { universe, reference }, spec),
    limit,
    many: best.many,
    searches: searches.map(({ universe: _, ...tried }) => tried),
    reference,
    seed,
  };
}

type FullSearch = ManySearch & { readonly universe: readonly Alignment[] };

interface SearchTools
  extends Pick<ResolvedOptions, "many" | "reference" | "starts" | "judge" | "onProgress"> {
  readonly objectiveOf: (universe: readonly Alignment[]) => Promise<number>;
  readonly limit: number;
}

/** Tries one method, or all that "best" tries; stops when nothing more can be gained. */
async function search(matching: Omit<ManyMatching, "onProgress">, tools: SearchTools): Promise<FullSearch[]> {
  const { many, reference, starts, judge, onProgress, objectiveOf, limit } = tools;
  const methods = many === "best" ? bestMethods(matching as ManyMatching) : [many];
  const planned = methods.flatMap((method) =>
    Array.from({ length: method === "cycle" ? starts : 1 }, (_, start) => ({ method, start })),
  );
  const tried: FullSearch[] = [];
  const last = planned.length + Number(many === "best");
  const attempt = async (
    method: ManySearch["many"],
    find: (running: ManyMatching) => Promise<SearchedUniverse>,
  ) => {
    const report = (done: number) => onProgress?.({ done: (tried.length + done) / last, many: method });
    const result = await find({ ...matching, onProgress: report });
    const objective = await objectiveOf(result.universe);
    const loss = await judge?.(inCoordinatesOf(result.universe, reference));
    tried.push({ many: method, ...result, objective, ...(loss !== undefined && { loss }) });
  };
  for (const { method, start } of planned) {
    await attempt(method, (running) => METHODS[method](running, { reference, start }));
    if (greatest(tried).objective >= limit * (1 - LIMIT_TOLERANCE)) return tried;
  }
  const best = greatest(tried);
  if (many !== "best" || best.many !== "reference") return tried;
  await attempt(best.many, (running) => polish(running, best.many, best.universe));
  return tried;
}

/**
 * Lists the methods that "best" tries: the relaxation holds all networks at once, so it is left out if they
 * do not fit the memory.
 */
function bestMethods(matching: ManyMatching): readonly ManySearch["many"][] {
  return fitsMemory(matching) ? ["reference", "merge-many", "cycle"] : ["reference", "merge-many"];
}

const DIRECT = { steps: 0, rounds: 0, status: "converged" } as const;

/** The methods by name. */
const METHODS: Readonly<
  Record<
    ManySearch["many"],
    (
      matching: ManyMatching,
      at: { readonly reference: number; readonly start: number },
    ) => Promise<SearchedUniverse>
  >
> = {
  cycle: (matching, { start }) => searchByRelaxation(matching, start),
  "merge-many": async (matching) => polish(matching, "merge-many", await placeOneByOne(matching)),
  tree: async (matching) => ({ universe: await matchByTree(matching), ...DIRECT }),
  reference: async (matching, { reference }) => ({
    universe: await matchToReference(matching, reference),
    ...DIRECT,
  }),
};

/** Returns the search with the greatest objective, the first of equals. */
function greatest(searches: readonly FullSearch[]): FullSearch {
  return searches.reduce((best, one) => (one.objective > best.objective ? one : best));
}

/** Returns the search with the least loss, if losses were measured, or else with the greatest objective. */
function bestOf(searches: readonly FullSearch[]): FullSearch {
  const lossOf = ({ loss = Number.POSITIVE_INFINITY }: ManySearch) => loss;
  const least = Math.min(...searches.map(lossOf));
  return greatest(
    least < Number.POSITIVE_INFINITY ? searches.filter((one) => lossOf(one) === least) : searches,
  );
}

function assertNetworks(networks: readonly Checkpoint[], reference: number): void {
  if (networks.length < 2) {
    throw new InputError(`Cannot match networks as there must be at least two: got ${networks.length}`, {
      input: networks.length === 0 ? "networks" : at(networks, 0, "network").source,
    });
  }
  if (reference >= networks.length) {
    throw new OutOfRangeError(
      `Cannot match many networks as reference must be the index of one of them: it is ${reference} of ${networks.length}`,
    );
  }
}
