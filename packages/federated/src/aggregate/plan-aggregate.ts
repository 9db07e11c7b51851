import {
  at,
  type Checkpoint,
  createRandom,
  InputError,
  OutOfRangeError,
  resolveOptions,
} from "@isthmus/core";
import type { ParameterSpecs, TensorParameters } from "@isthmus/merging";
import { assertScales } from "../adapters/adapter-scaling.ts";
import { assertProducts } from "../adapters/assert-products.ts";
import { type FactorPair, findFactorPairs, namesOfFactors } from "../adapters/factor-pairs.ts";
import { addProductGram } from "../adapters/measure-product-gram.ts";
import { productReader } from "../adapters/read-products.ts";
import type { Treatment } from "../layers/treatment.ts";
import { resolveTreatments } from "../layers/treatments.ts";
import type { AggregationRule, CoordinateRule, Points } from "../rules/aggregation-rule.ts";
import { type ClientUpdate, orderUpdates } from "../updates/client-update.ts";
import { AGGREGATE_DEFAULTS, type AggregateOptions } from "./aggregate-options.ts";
import { carriedState } from "./carried-state.ts";
import { layerWeights } from "./layer-weights.ts";
import { measureGram } from "./measure-gram.ts";
import { type Mixed, mixPoints, mixRows, scalePoints, unmixed } from "./mix-points.ts";
import { parametersOf } from "./parameters-of.ts";
import { type PrivacyReport, planPrivateRound } from "./private-round.ts";
import { countElements } from "./ranges.ts";
import { assertState } from "./state-record.ts";

/** Way in which the change of an element is computed from the clients' displacements. */
export type Combination =
  | {
      /** Tag of a change that is a weighted sum of displacements. */
      readonly kind: "linear";
      /** Weight of each update, `[updates]`. */
      readonly weights: readonly number[];
      /** Weights by tensor, `[updates]`, if each layer is clipped by itself. */
      readonly byTensor?: ReadonlyMap<string, readonly number[]> | undefined;
      /** Weight of the aggregate of the round before. */
      readonly carried: number;
    }
  | {
      /** Tag of a change that a rule computes element by element. */
      readonly kind: "coordinates";
      /** Weights of the updates in each point that takes part, `[points][updates]`. */
      readonly mixture: readonly (readonly number[])[];
      /** Rule that computes each element. */
      readonly rule: CoordinateRule;
      /** Values of the rule's parameters, with defaults filled in. */
      readonly parameters: TensorParameters<ParameterSpecs>;
    };

/** Report of an aggregation on one client. */
export interface ClientReport {
  /** Name of the client. */
  readonly client: string;
  /** Number of examples that the client says it trained on. */
  readonly examples: number;
  /**
   * Weight of the client's displacement in the aggregate; missing for rules that decide on each element, and
   * if layers have weights of their own.
   */
  readonly weight?: number;
  /** Norm of the client's displacement in the shared tensors; missing if the round needs no norms. */
  readonly norm?: number;
}

/** Everything that is decided about a round before elements are combined. */
export interface AggregatePlan {
  /** Global network before the round. */
  readonly network: Checkpoint;
  /** Updates in the order of the clients' names; empty in a private round for which no client was sampled. */
  readonly updates: readonly ClientUpdate[];
  /** Treatment of every tensor of the network, by name. */
  readonly treatments: ReadonlyMap<string, Treatment>;
  /** Shared changes by LoRA, whose products are aggregated in place of their factors. */
  readonly pairs: readonly FactorPair[];
  /** Way in which shared tensors are combined. */
  readonly combination: Combination;
  /** Shares of examples, `[updates]`, with a sum of 1: the weights of averaged tensors. */
  readonly shares: readonly number[];
  /** Values of the parameters of the server's optimiser, with defaults filled in. */
  readonly serverParameters: TensorParameters<ParameterSpecs>;
  /** Report on each client, in the order of names. */
  readonly clients: readonly ClientReport[];
  /** Report of a private round; undefined if the round is not private. */
  readonly privacy: PrivacyReport | undefined;
  /** Options with defaults filled in; for a private round with the rule and the bound of the privacy. */
  readonly options: Readonly<Required<AggregateOptions>>;
}

/**
 * Measures the norms and inner products of a round's updates that the rule needs, and decides how the updates
 * are combined.
 * @throws InputError if there are no updates, or too few for the rule
 * @throws MismatchError if an update does not fit the network
 * @throws UnsupportedError if the round is to be private and breaks the account
 * @throws UsageError, OutOfRangeError if an option or a parameter is wrong
 */
export async function planAggregate(
  network: Checkpoint,
  updates: readonly ClientUpdate[],
  options: AggregateOptions = {},
): Promise<AggregatePlan> {
  const described = resolveOptions("aggregate a round", AGGREGATE_DEFAULTS, options);
  assertNumbers(described);
  const treatments = resolveTreatments(network, described.treatments);
  const pairs = findFactorPairs(network, treatments);
  const { server, privacy, noise } = described;
  assertProducts(pairs, { server, hasNoise: privacy !== undefined || noise !== undefined });
  const ordered = mayBeEmpty(described, updates) ? [] : orderUpdates(network, updates, pairs);
  assertScales({ network, ...described }, ordered, pairs);
  const privateRound = planPrivateRound({ ...described, treatments }, ordered);
  const resolved = privateRound?.options ?? described;
  assertState(resolved);
  const { of: rule } = resolved.rule;
  const parameters = parametersOf("aggregate", resolved.rule);
  const points = await surveyPoints(network, ordered, { treatments, pairs, rule, resolved });
  const mixed = mixAll(points, resolved);
  assertEnough(rule, parameters, mixed.points.count, ordered.length);
  const combined = combine(rule, parameters, mixed);
  const byTensor = await layerWeights(network, ordered, { treatments, resolved });
  const combination = byTensor === undefined ? combined : { ...combined, byTensor };
  return {
    network,
    updates: ordered,
    treatments,
    pairs,
    combination,
    shares: points.shares,
    options: resolved,
    serverParameters: parametersOf("step the server", resolved.server),
    privacy: privateRound?.report(() => ordered.map((_, i) => Math.sqrt(normOf(points, i)))),
    clients: ordered.map(({ client, examples }, i) => ({
      client,
      examples,
      ...(combination.kind === "linear" && byTensor === undefined
        ? { weight: at(combination.weights, i) }
        : {}),
      ...(points.gram.length === 0 ? {} : { norm: Math.sqrt(normOf(points, i)) }),
    })),
  };
}

/**
 * Returns whether a round is aggregated without updates: the noise hides that no client was sampled, which an
 * unchanged network would reveal.
 */
function mayBeEmpty({ privacy }: Resolved, updates: readonly ClientUpdate[]): boolean {
  return updates.length === 0 && privacy?.sampling.kind === "poisson";
}

type Resolved = Readonly<Required<AggregateOptions>>;

function assertNumbers({ round, memory, clip }: Resolved): void {
  if (!(Number.isSafeInteger(round) && round >= 1)) {
    throw new OutOfRangeError(
      `Cannot aggregate a round as "round" must be a whole number of at least 1: it is ${round}`,
    );
  }
  if (!(memory > 0)) {
    throw new OutOfRangeError(`Cannot aggregate a round as "memory" must be above 0 bytes: it is ${memory}`);
  }
  if (clip !== undefined && !(clip > 0)) {
    throw new OutOfRangeError(`Cannot clip updates as "clip" must be a norm above 0: it is ${clip}`);
  }
}

interface Survey {
  readonly treatments: ReadonlyMap<string, Treatment>;
  readonly pairs: readonly FactorPair[];
  readonly rule: AggregationRule;
  readonly resolved: Resolved;
}

async function surveyPoints(
  network: Checkpoint,
  updates: AggregatePlan["updates"],
  { treatments, pairs, rule, resolved }: Survey,
): Promise<Points> {
  const total = updates.reduce((sum, { examples }) => sum + examples, 0);
  const needsGram = rule.needs.includes("gram") || resolved.preAggregations.some(({ of }) => of.needsGram);
  const needsNorms = rule.needs.includes("norms") || resolved.clip !== undefined;
  const names = namesOutsidePairs(treatments, pairs).filter((name) => treatments.get(name) === "share");
  const carries = rule.kind === "linear" && rule.carries === true;
  const { memory, signal, onProgress } = resolved;
  const elements = countElements(network, names);
  let done = 0;
  const gram =
    needsGram || needsNorms
      ? await measureGram({
          network,
          updates,
          names,
          memory,
          signal,
          onlyNorms: !needsGram,
          ...(carries ? { carried: carriedState(network, resolved.state) } : {}),
          onProgress(more) {
            done += more;
            onProgress?.({ phase: "survey", done: done / elements });
          },
        })
      : new Float64Array(0);
  if (needsGram || needsNorms) {
    await addProductGram(gram, {
      network,
      pairs,
      memory,
      signal,
      onlyNorms: !needsGram,
      count: Math.round(Math.sqrt(gram.length)),
      read: productReader(network, updates, resolved),
    });
  }
  const losses = updates.map(({ client, loss }) => {
    if (rule.needs.includes("losses") && loss === undefined) {
      throw new InputError(
        `Cannot aggregate by ${rule.name} as it weighs clients by their loss, and "${client}" sent none: let clients measure the global network before they train, or choose another rule`,
        { input: client },
      );
    }
    return loss ?? Number.NaN;
  });
  return {
    count: updates.length,
    gram,
    losses,
    shares: updates.map(({ examples }) => examples / total),
    staleness: updates.map(({ staleness = 0 }) => staleness),
  };
}

/** Returns the names of tensors that are combined by elements: neither kept, nor factors of a pair. */
export function namesOutsidePairs(
  treatments: ReadonlyMap<string, Treatment>,
  pairs: readonly FactorPair[],
): string[] {
  const factors = namesOfFactors(pairs);
  return [...treatments]
    .filter(([name, treatment]) => treatment !== "keep" && !factors.has(name))
    .map(([name]) => name);
}

function mixAll(points: Points, { clip, preAggregations, seed, round }: Resolved): Mixed {
  let mixed = unmixed(points);
  if (clip !== undefined) {
    const factors = points.shares.map((_, i) => Math.min(1, clip / (Math.sqrt(normOf(points, i)) || clip)));
    mixed = scalePoints(mixed, factors);
  }
  for (const [i, configured] of preAggregations.entries()) {
    const random = createRandom(seed, `${configured.of.name} ${i} round ${round}`);
    mixed = mixPoints(
      mixed,
      configured.of.mix(mixed.points, parametersOf("prepare updates", configured), random),
    );
  }
  return mixed;
}

/** Returns the squared norm of a point. */
function normOf({ gram }: Points, i: number): number {
  return at(gram, i * (Math.round(Math.sqrt(gram.length)) + 1));
}

function assertEnough(
  rule: AggregationRule,
  parameters: TensorParameters<ParameterSpecs>,
  points: number,
  updates: number,
): void {
  const least = rule.least?.(parameters);
  if (least === undefined || points >= least.count) return;
  const made = points === updates ? "" : `, made of ${updates} updates`;
  throw new InputError(
    `Cannot aggregate by ${rule.name} as ${least.reason}: it needs at least ${least.count} updates, and there are ${points}${made}; wait for more clients, or assume fewer attackers`,
    { input: "updates" },
  );
}

function combine(
  rule: AggregationRule,
  parameters: TensorParameters<ParameterSpecs>,
  { points, mixture }: Mixed,
): Combination {
  if (rule.kind === "coordinates") {
    const chosen = rule.choose?.(points, parameters);
    const rows = chosen === undefined ? mixture : chosen.map((position) => at(mixture, position, "point"));
    return { kind: "coordinates", mixture: rows, rule, parameters };
  }
  const { weights } = rule.weigh(points, parameters);
  return {
    kind: "linear",
    weights: mixRows(weights, mixture),
    carried: rule.carries === true ? at(weights, points.count, "weight") : 0,
  };
}
