import { at, type Checkpoint, entry, type Tensor } from "@isthmus/core";
import { type Architecture, type DataSet, limitExamples } from "@isthmus/graph";
import { visitActivations } from "@isthmus/statistics";
import { discoverRouters, type RouterLayer, readShares } from "./discover-routers.ts";
import { divergenceOf, toProbabilities } from "./probabilities.ts";
import { finiteNumbers } from "./read-rows.ts";

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
  const values = routers.flatMap(({ shares, scores }) => [shares.value, scores]);
  const visited = [one, two].map((network) => ({ ...architecture, network, values }));
  const counts = routers.map(() => ({ shared: 0, same: 0, divergence: 0, tokens: 0 }));
  await visitActivations(visited, seen, { batchSize, signal }, async ([ofOne, ofTwo]) => {
    for (const [i, router] of routers.entries()) {
      const read = (batch: ReadonlyMap<string, Tensor> = new Map()) => ({
        shares: readShares(router, entry(batch, router.shares.value, "value")),
        scores: entry(batch, router.scores, "value"),
      });
      const [first, second] = [read(ofOne), read(ofTwo)];
      const count = at(counts, i, "router");
      addAgreement(count, router.experts, [first.shares, second.shares]);
      const scores = [
        finiteNumbers(first.scores, one.source),
        finiteNumbers(second.scores, two.source),
      ] as const;
      count.divergence += sumDivergence(router, scores);
    }
  });
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

/** Adds the tokens of one batch to the counts of a router, given the shares of experts in both networks. */
function addAgreement(
  counts: { shared: number; same: number; tokens: number },
  experts: number,
  [one, two]: readonly [Float32Array, Float32Array],
): void {
  for (let first = 0; first < one.length; first += experts) {
    const places = Array.from({ length: experts }, (_, expert) => first + expert);
    const chosen = places.filter((place) => one[place] !== 0);
    const both = chosen.filter((place) => two[place] !== 0).length;
    counts.shared += chosen.length === 0 ? 0 : both / chosen.length;
    counts.same +=
      both === chosen.length && both === places.filter((place) => two[place] !== 0).length ? 1 : 0;
    counts.tokens++;
  }
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
