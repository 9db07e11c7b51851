import { at, type Checkpoint, entry, resolveOptions, sumOf, type Tensor, toFloat32 } from "@isthmus/core";
import { type Architecture, type DataSet, softmaxInto } from "@isthmus/graph";
import { visitActivations } from "@isthmus/statistics";
import { discoverEqualRouters, type RouterLayer, readShares } from "./discover-routers.ts";

/** Options of {@link measureRouting}. */
export interface MeasureRoutingOptions {
  /** Examples in one engine call. @defaultValue 16 */
  readonly batchSize?: number;
  /** Threads of the engine; 0 lets it choose. @defaultValue 0 */
  readonly threads?: number;
  /** Signal that stops the work, checked before each batch. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch with the share of the work that is done. */
  readonly onProgress?: ((progress: { readonly done: number }) => void) | undefined;
}

/** Defaults of {@link measureRouting}. */
export const MEASURE_ROUTING_DEFAULTS: Required<MeasureRoutingOptions> = {
  batchSize: 16,
  threads: 0,
  signal: undefined,
  onProgress: undefined,
};

/** Capacity of an expert, as a multiple of the tokens that it had if all experts had as many. */
const CAPACITY = 1.25;

/** Use of the experts of one layer. */
export interface LayerRouting {
  /** Name of its experts. */
  readonly layer: string;
  /** Shares of experts of all choices, which sum to 1, by text and expert. */
  readonly shares: readonly (readonly number[])[];
  /** Shares of experts of all choices with all texts alike, by expert. */
  readonly use: readonly number[];
  /** Mean weights of experts, by expert: what they contribute, 0 if they are not chosen. */
  readonly weights: readonly number[];
  /** Experts that a token is sent to, on average. */
  readonly active: number;
  /**
   * Mean entropy of the softmax of a token's scores, as a share of the largest: 0 if routers are sure, 1 if
   * not at all.
   */
  readonly entropy: number;
  /** Entropy of `use`, as a share of the largest: 1 if all experts have as many tokens, 0 if one has all. */
  readonly balance: number;
  /** Capacity that keeps all tokens: the share of the busiest expert times the number of experts. */
  readonly capacity: number;
  /** Share of choices that experts would drop if each took 1.25 times the tokens of an even distribution. */
  readonly dropped: number;
  /**
   * Similarities of experts by their scores, `[experts, experts]`: correlations over tokens, with the mean
   * score of each token taken away.
   */
  readonly similarities: Float64Array;
}

/**
 * Measures to which experts the routers of a mixture send the tokens of some texts: shares, load balance,
 * entropy and the capacity that experts need, by layer. All texts count alike, however long they are.
 * @throws InputError if the data do not fit the graph
 * @throws UnsupportedError if the graph has no routers
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createTokenDataSet } from "@isthmus/data";
 * import { createOnnxRuntimeEngine } from "@isthmus/engine";
 * import { measureRouting } from "@isthmus/mixtures";
 * import { networkOfConfig } from "@isthmus/zoo";
 *
 * const { graph, initialize } = networkOfConfig({
 *   model_type: "mixtral",
 *   vocab_size: 20,
 *   hidden_size: 8,
 *   intermediate_size: 6,
 *   num_hidden_layers: 1,
 *   num_attention_heads: 2,
 *   num_key_value_heads: 1,
 *   num_local_experts: 3,
 * });
 * const texts = [0, 1, 2].map((expert) => {
 *   const ids = Uint16Array.from({ length: 96 }, (_, i) => 6 * expert + ((i * i) % 6));
 *   return createTokenDataSet(ids, { context: 8, vocabularySize: 20, name: `text ${expert}` });
 * });
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 * const [layer] = await measureRouting(architecture, initialize(0), texts);
 * assert.equal(layer?.active, 2); // experts for each token
 * assert.equal(layer.use.length, 3); // shares of the experts of all choices
 * ```
 */
export async function measureRouting(
  { graph, engine }: Architecture,
  mixture: Checkpoint,
  texts: readonly DataSet[],
  options: MeasureRoutingOptions = {},
): Promise<LayerRouting[]> {
  const { onProgress, ...resolved } = resolveOptions("measure routing", MEASURE_ROUTING_DEFAULTS, options);
  const routers = await discoverEqualRouters({ graph, engine }, { signal: resolved.signal });
  const values = routers.flatMap(({ scores, shares }) => [scores, shares.value]);
  const sums = routers.map(({ experts }) => texts.map(() => createSums(experts)));
  for (const [index, text] of texts.entries()) {
    const reading = {
      ...resolved,
      onProgress: ({ done }: { readonly done: number }) =>
        onProgress?.({ done: (index + done) / texts.length }),
    };
    await visitActivations([{ graph, engine, network: mixture, values }], text, reading, async ([batch]) => {
      for (const [place, router] of routers.entries())
        addTokens(at(at(sums, place), index), router, batch ?? new Map());
    });
  }
  return routers.map(({ name, experts }, i) => summarize(name, experts, at(sums, i)));
}

/** Sums over the tokens of one text. */
interface RoutingSums {
  tokens: number;
  entropy: number;
  readonly chosen: Float64Array;
  readonly weights: Float64Array;
  readonly scores: Float64Array;
  readonly products: Float64Array;
}

function createSums(experts: number): RoutingSums {
  const numbers = () => new Float64Array(experts);
  return {
    tokens: 0,
    entropy: 0,
    chosen: numbers(),
    weights: numbers(),
    scores: numbers(),
    products: new Float64Array(experts * experts),
  };
}

function addTokens(sums: RoutingSums, router: RouterLayer, batch: ReadonlyMap<string, Tensor>): void {
  const { experts } = router;
  const computed = entry(batch, router.scores, "value");
  const scores = toFloat32(computed.data, computed.dtype);
  const shares = readShares(router, entry(batch, router.shares.value, "value"));
  const probabilities = new Float64Array(experts);
  const centred = new Float64Array(experts);
  for (let begin = 0; begin < scores.length; begin += experts) {
    const row = scores.subarray(begin, begin + experts);
    softmaxInto(row, experts, probabilities);
    const mean = sumOf(row) / experts;
    sums.tokens++;
    for (let i = 0; i < experts; i++) {
      const weight = shares[begin + i] as number;
      const probability = probabilities[i] as number;
      if (weight > 0) sums.chosen[i] = (sums.chosen[i] as number) + 1;
      sums.weights[i] = (sums.weights[i] as number) + weight;
      if (probability > 0) sums.entropy -= probability * Math.log(probability);
      centred[i] = (row[i] as number) - mean;
      sums.scores[i] = (sums.scores[i] as number) + (centred[i] as number);
    }
    for (let i = 0; i < experts; i++) {
      for (let j = 0; j < experts; j++) {
        const place = i * experts + j;
        sums.products[place] =
          (sums.products[place] as number) + (centred[i] as number) * (centred[j] as number);
      }
    }
  }
}

function summarize(layer: string, experts: number, texts: readonly RoutingSums[]): LayerRouting {
  const shares = texts.map(({ chosen }) => {
    const all = sumOf(chosen);
    return Array.from(chosen, (count) => count / all);
  });
  const meanOfTexts = (read: (text: RoutingSums, index: number) => number) =>
    sumOf(texts.map(read)) / texts.length;
  const byExpert = (read: (expert: number, text: RoutingSums, index: number) => number) =>
    Array.from({ length: experts }, (_, i) => meanOfTexts((text, index) => read(i, text, index)));
  const use = byExpert((i, _, index) => at(at(shares, index), i));
  const most = Math.log(experts) || 1;
  return {
    layer,
    shares,
    use,
    weights: byExpert((i, { weights, tokens }) => at(weights, i) / tokens),
    active: meanOfTexts(({ chosen, tokens }) => sumOf(chosen) / tokens),
    entropy: meanOfTexts(({ entropy, tokens }) => entropy / tokens) / most,
    balance: sumOf(use.map((share) => (share > 0 ? -share * Math.log(share) : 0))) / most,
    capacity: Math.max(...use) * experts,
    dropped: sumOf(use.map((share) => Math.max(0, share - CAPACITY / experts))),
    similarities: correlate(experts, texts),
  };
}

/** Computes correlations of scores over the tokens of all texts, each of which counts alike. */
function correlate(experts: number, texts: readonly RoutingSums[]): Float64Array {
  const mean = (read: (text: RoutingSums) => number) => sumOf(texts.map(read)) / texts.length;
  const means = Array.from({ length: experts }, (_, i) =>
    mean(({ scores, tokens }) => at(scores, i) / tokens),
  );
  const covariances = Array.from({ length: experts * experts }, (_, place) => {
    const [i, j] = [Math.floor(place / experts), place % experts];
    return mean(({ products, tokens }) => at(products, place) / tokens) - at(means, i) * at(means, j);
  });
  const deviations = means.map((_, i) => Math.sqrt(Math.max(0, at(covariances, i * (experts + 1)))));
  return Float64Array.from(covariances, (covariance, place) => {
    const [i, j] = [Math.floor(place / experts), place % experts];
    const scale = at(deviations, i) * at(deviations, j);
    return i === j ? 1 : scale > 0 ? covariance / scale : 0;
  });
}
