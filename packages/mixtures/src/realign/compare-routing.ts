import { at, type Checkpoint, sizeOf } from "@isthmus/core";
import { type Architecture, type DataSet, limitExamples } from "@isthmus/graph";
import { discoverRouters, type RouterLayer } from "./discover-routers.ts";
import { divergenceOf, toProbabilities } from "./probabilities.ts";
import { type TokenValue, tokenValues } from "./token-values.ts";

/** Options of {@link compareRouting}. */
export interface CompareRoutingOptions {
  /** Routers of the graph, if they were discovered before. @defaultValue they are discovered */
  readonly routers?: readonly RouterLayer[] | undefined;
  /** Number of examples, the first ones; 0 for all. @defaultValue 0 */
  readonly examples?: number | undefined;
  /** Examples in one engine call. @defaultValue 16 */
  readonly batchSize?: number | undefined;
  /** Signal that stops the measurement between two batches. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
}

/** Agreement of the routers of two networks on the same tokens. */
export interface RoutingAgreement {
  /** Name of the router's experts; absent in the mean over all routers. */
  readonly name?: string;
  /** Mean share of the experts that the first network chooses for a token which the second chooses, too. */
  readonly shared: number;
  /** Share of the tokens for which both networks choose exactly the same experts. */
  readonly same: number;
  /** Mean relative entropy of the first network's probabilities to the second's for a token, in nats. */
  readonly divergence: number;
}

/** Result of {@link compareRouting}. */
export interface RoutingComparison extends RoutingAgreement {
  /** Agreement of each router, in the order of computation. */
  readonly routers: readonly RoutingAgreement[];
  /** Number of tokens that were compared in each router. */
  readonly tokens: number;
}

/**
 * Measures whether the routers of two networks of one graph send tokens to the same experts, which must be at
 * the same places in both: align networks whose experts may be in other orders first.
 *
 * @throws InputError if the data do not fit the graph
 * @throws OutOfRangeError if an option is out of range
 */
export async function compareRouting(
  architecture: Architecture,
  [one, two]: readonly [Checkpoint, Checkpoint],
  data: DataSet,
  { routers: discovered, examples = 0, batchSize = 16, signal }: CompareRoutingOptions = {},
): Promise<RoutingComparison> {
  const routers = discovered ?? (await discoverRouters(architecture, { signal }));
  const seen = examples === 0 ? data : limitExamples("compare routing", data, examples);
  const options = {
    attempt: "compare routing",
    names: routers.flatMap(({ shares, scores }) => [shares.value, scores]),
    batchSize,
    signal,
  };
  const counts = routers.map(() => ({ shared: 0, same: 0, divergence: 0, tokens: 0 }));
  const others = tokenValues(architecture, two, seen, options);
  for await (const valueOfOne of tokenValues(architecture, one, seen, options)) {
    const valueOfTwo = (await others.next()).value;
    if (valueOfTwo === undefined) break;
    routers.forEach((router, i) => {
      const [count, { shares, scores }] = [at(counts, i, "router"), router];
      addAgreement(count, router, [valueOfOne(shares.value), valueOfTwo(shares.value)]);
      count.divergence += sumDivergence(router, [valueOfOne(scores).data, valueOfTwo(scores).data]);
    });
  }
  await others.return?.(undefined);
  const agreements = counts.map(({ shared, same, divergence, tokens }, i) => ({
    name: at(routers, i, "router").name,
    shared: shared / tokens,
    same: same / tokens,
    divergence: divergence / tokens,
  }));
  const mean = (key: "shared" | "same" | "divergence") =>
    agreements.reduce((sum, agreement) => sum + agreement[key] / agreements.length, 0);
  return {
    shared: mean("shared"),
    same: mean("same"),
    divergence: mean("divergence"),
    routers: agreements,
    tokens: counts[0]?.tokens ?? 0,
  };
}

/** Adds the tokens of one batch to the counts of a router. */
function addAgreement(
  counts: { shared: number; same: number; tokens: number },
  { experts, shares: { axis } }: RouterLayer,
  [one, two]: readonly [TokenValue, TokenValue],
): void {
  const inner = sizeOf(one.shape.slice(axis + 1));
  const tokens = one.data.length / experts;
  for (let token = 0; token < tokens; token++) {
    const first = Math.floor(token / inner) * experts * inner + (token % inner);
    const places = Array.from({ length: experts }, (_, expert) => first + expert * inner);
    const isChosen = (value: TokenValue) => (place: number) => value.data[place] !== 0;
    const chosen = places.filter(isChosen(one));
    const both = chosen.filter(isChosen(two)).length;
    counts.shared += chosen.length === 0 ? 0 : both / chosen.length;
    counts.same += both === chosen.length && both === places.filter(isChosen(two)).length ? 1 : 0;
  }
  counts.tokens += tokens;
}

/** Sums the divergences of the probabilities of all tokens of a batch, given their scores. */
function sumDivergence(
  { experts, probabilities }: RouterLayer,
  [one, two]: readonly [Float32Array, Float32Array],
): number {
  let sum = 0;
  const [from, to] = [new Float64Array(experts), new Float64Array(experts)];
  for (let first = 0; first < one.length; first += experts) {
    from.set(one.subarray(first, first + experts));
    to.set(two.subarray(first, first + experts));
    toProbabilities(from, probabilities);
    toProbabilities(to, probabilities);
    sum += divergenceOf(from, to, probabilities);
  }
  return sum;
}
