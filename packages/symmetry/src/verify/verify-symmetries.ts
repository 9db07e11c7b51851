import { createCheckpoint, resolveOptions, type Tensor } from "@isthmus/core";
import {
  type Architecture,
  type Engine,
  type Graph,
  PROBE_DEFAULTS,
  probeGraph,
  randomInputs,
  runAll,
  withSharedSessions,
} from "@isthmus/graph";
import type { Alignment } from "../alignment.ts";
import { deriveSpec, type Symmetries } from "../derive-spec.ts";
import { fingerprintSpec } from "../encode/encode-spec.ts";
import { permute } from "../permute.ts";
import type { SymmetrySpec } from "../spec.ts";
import { createComparison, errorOf } from "./compare-permuted.ts";
import { measureSensitivity } from "./measure-sensitivity.ts";
import { summarizeErrors, type ValueError, type ValueSummary } from "./summarize-errors.ts";
import { trialAlignments } from "./trial-alignments.ts";
import { trialWeights, VALUE_TRIAL_DEFAULTS, type ValueTrialOptions } from "./trial-options.ts";

/** Options of {@link verifySymmetries}. */
export interface VerifySymmetriesOptions extends ValueTrialOptions {
  /**
   * Names of weights that are not permuted, which must make the check fail: a control of its power.
   * @defaultValue none
   */
  readonly unpermuted?: readonly string[];
  /**
   * Whether to try each symmetry by itself if all at once do not pass, to name the symmetries that fail.
   * @defaultValue true
   */
  readonly findFailing?: boolean;
}

/** Defaults of {@link VerifySymmetriesOptions}; the seed has none. */
const VERIFY_SYMMETRIES_DEFAULTS: Required<Omit<VerifySymmetriesOptions, "seed">> = {
  ...VALUE_TRIAL_DEFAULTS,
  unpermuted: [],
  findFailing: true,
};

/** Result of {@link verifySymmetries}. */
export interface VerifySymmetriesResult extends ValueSummary {
  /** Names of the symmetries that fail by themselves, found only if all at once do not pass. */
  readonly failedSymmetries: readonly string[];
  /** Seed that was used, with which the proof can be repeated. */
  readonly seed: number;
}

/**
 * Proves symmetries by trying them: permutes the weights by a random element of every symmetry at once, and
 * compares every value the graph computes with the permutation predicted for it. Symmetries of very few units
 * are also tried separately, and symmetries that were not derived from this graph are tried several times:
 * see `trialAlignments`.
 *
 * Comparing outputs alone lets wrong specifications pass whose mistakes act on values near zero. A
 * specification that was not derived from this graph predicts no permutations: then intermediate values must
 * be equal up to their order.
 *
 * @throws MismatchError if the specification, the weights and the graph do not fit each other
 * @throws EngineError if the engine cannot run the graph
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, discoverSymmetries } from "isthmus";
 * import { parseNetwork, verifySymmetries } from "isthmus";
 *
 * const { graph } = parseNetwork("mlp:8x2", { exampleShape: [4], classes: 3 });
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 * const symmetries = await discoverSymmetries(architecture);
 * const { passed } = await verifySymmetries(architecture, symmetries, { seed: 0 });
 * assert(passed); // every value inside was compared
 * ```
 */
export async function verifySymmetries(
  { graph, engine }: Architecture,
  symmetries: Symmetries | SymmetrySpec,
  options: VerifySymmetriesOptions,
): Promise<VerifySymmetriesResult> {
  // One session runs the graph with all weights.
  return withSharedSessions(engine, (shared) => verify({ graph, engine: shared }, symmetries, options));
}

async function verify(
  { graph, engine }: Architecture,
  symmetries: Symmetries | SymmetrySpec,
  options: VerifySymmetriesOptions,
): Promise<VerifySymmetriesResult> {
  const { seed, ...rest } = options;
  const resolved = resolveOptions("verify symmetries", VERIFY_SYMMETRIES_DEFAULTS, rest, ["seed"]);
  const { signal, weights } = resolved;
  const spec = "spec" in symmetries ? symmetries.spec : symmetries;
  const bound = await trialWeights(graph, { weights, seed });
  const permutations = await permutationsOf(graph, engine, symmetries);
  signal?.throwIfAborted();
  const inputs = randomInputs(graph, permutations?.batch ?? PROBE_DEFAULTS.batch, seed);
  const before = await runAll(graph, engine, new Map([...inputs, ...bound]));
  signal?.throwIfAborted();
  const network = { inputs, weights: bound, values: before };
  let measured: Promise<ReadonlyMap<string, number>> | undefined;
  const sensitivity = () => {
    measured ??= measureSensitivity(graph, engine, network, seed);
    return measured;
  };
  const trial = {
    graph,
    engine,
    spec,
    permutations,
    inputs,
    bound,
    before,
    sensitivity,
    seed,
    options: resolved,
  };
  const summary = await tryAll(trial);
  const searches = !summary.passed && resolved.findFailing;
  const failedSymmetries = searches ? await findFailing(trial) : [];
  return { ...summary, failedSymmetries, seed };
}

interface Trial {
  readonly graph: Graph;
  readonly engine: Engine;
  readonly spec: SymmetrySpec;
  readonly permutations: Symmetries | undefined;
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly bound: ReadonlyMap<string, Tensor>;
  readonly before: ReadonlyMap<string, Tensor>;
  /** Measures the change of each value by rounding, once, when it is first needed. */
  readonly sensitivity: () => Promise<ReadonlyMap<string, number>>;
  readonly seed: number;
  readonly options: Required<Omit<VerifySymmetriesOptions, "seed">>;
}

/**
 * Returns the permutations of a specification; for a loaded one they are derived again; undefined if the
 * derived specification is another.
 */
async function permutationsOf(
  graph: Graph,
  engine: Engine,
  symmetries: Symmetries | SymmetrySpec,
): Promise<Symmetries | undefined> {
  if ("spec" in symmetries) return symmetries;
  const permutations = deriveSpec(graph, await probeGraph({ graph, engine }));
  return fingerprintSpec(permutations.spec) === fingerprintSpec(symmetries) ? permutations : undefined;
}

/**
 * Number of shuffles of all symmetries: more for a specification of unknown origin, which predicts no values.
 */
const SHUFFLES = { derived: 0, loaded: 3 };

/**
 * Tries one alignment after the other until one fails; summarises the worst errors of all that were tried.
 */
async function tryAll(trial: Trial, only?: string): Promise<ValueSummary> {
  const shuffles = trial.permutations === undefined ? SHUFFLES.loaded : SHUFFLES.derived;
  let errors: readonly ValueError[] = [];
  const { graph, options } = trial;
  let summary = summarizeErrors(graph, options, errors, new Map());
  for (const alignment of trialAlignments(trial.spec, { seed: trial.seed, shuffles, only })) {
    const attempt = await tryAlignment(trial, alignment);
    errors = attempt.map((entry, i) => worse(entry, errors[i] ?? entry));
    summary = summarizeErrors(graph, options, errors, new Map());
    if (!summary.passed) summary = summarizeErrors(graph, options, errors, await trial.sensitivity());
    if (!summary.passed) break;
  }
  return summary;
}

function worse(one: ValueError, other: ValueError): ValueError {
  return one.error <= other.error ? other : one;
}

/** Computes the errors of all values that depend on the input or the weights, in the order of computation. */
async function tryAlignment(trial: Trial, alignment: Alignment): Promise<ValueError[]> {
  const { graph, engine, spec, permutations, inputs, bound, before, options } = trial;
  const permuted = permute(alignment, createCheckpoint(bound, {}, graph.name), spec);
  const moved = new Map<string, Tensor>();
  for (const [name, tensor] of bound) {
    moved.set(name, options.unpermuted.includes(name) ? tensor : await permuted.read(name));
  }
  const after = await runAll(graph, engine, new Map([...inputs, ...moved]));
  options.signal?.throwIfAborted();
  const compare = createComparison(graph, permutations, alignment);
  const named = graph.nodes.flatMap(({ name, outputs }) => outputs.map((value) => ({ value, node: name })));
  return named.flatMap(({ value, node }): ValueError[] => {
    const one = before.get(value);
    const two = after.get(value);
    const error = one === undefined || two === undefined ? undefined : compare(value, one, two);
    return error === undefined ? [] : [errorOf({ value, node }, error)];
  });
}

/** Tries each symmetry by itself. */
async function findFailing(trial: Trial): Promise<string[]> {
  const failed: string[] = [];
  for (const { name } of trial.spec.symmetries) {
    if (!(await tryAll(trial, name)).passed) failed.push(name);
  }
  return failed;
}
