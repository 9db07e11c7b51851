import { at, type Checkpoint, entry, resolveOptions, sumOf, type Tensor, toFloat32 } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import { visitActivations } from "@isthmus/statistics";
import { type RouterLayer, readShares } from "../routers/discover-routers.ts";
import { MEASURE_ROUTING_DEFAULTS, type MeasureRoutingOptions } from "../routers/measure-routing.ts";
import { findResults } from "./find-results.ts";

/** Importance of the experts of one layer, and how far their results are apart. */
export interface LayerExperts {
  /** Name of the layer's experts. */
  readonly layer: string;
  /** Mean weight of each expert over all tokens, 0 for tokens that are not sent to it. */
  readonly weights: Float64Array;
  /**
   * Mean over all tokens of an expert's weight times the norm of its result: the contribution to the stream.
   */
  readonly saliences: Float64Array;
  /**
   * Mean squared distances between the results of experts on the tokens of either of them, weighed by their
   * weights, as shares of the mean of their squared norms; `[experts, experts]`, symmetric, from 0 for equal
   * results on.
   */
  readonly distances: Float64Array;
}

/**
 * Measures the experts of a mixture on texts: how much each contributes, and how much their results differ.
 * All texts count alike, however long they are.
 *
 * Source of saliences: Lasby et al., REAP the experts: why pruning prevails for one-shot MoE compression,
 * 2025, section 4; they take the mean over the tokens of an expert, which prefers experts of few tokens.
 * @throws InputError if the data do not fit the graph
 * @throws UnsupportedError if results of experts are not multiplied by their shares
 */
export async function measureExperts(
  { graph, engine }: Architecture,
  { network, routers: discovered }: RoutedNetwork,
  texts: readonly DataSet[],
  options: MeasureRoutingOptions = {},
): Promise<LayerExperts[]> {
  const { onProgress, ...resolved } = resolveOptions("measure experts", MEASURE_ROUTING_DEFAULTS, options);
  const routers = discovered.map(
    (router): MeasuredLayer => ({ ...router, results: findResults(graph, router) }),
  );
  const values = routers.flatMap(({ shares, results }) => [shares.value, ...results]);
  const sums = routers.map(({ experts }) => texts.map(() => createSums(experts)));
  for (const [index, text] of texts.entries()) {
    const reading = {
      ...resolved,
      onProgress: ({ done }: { readonly done: number }) =>
        onProgress?.({ done: (index + done) / texts.length }),
    };
    await visitActivations([{ graph, engine, network, values }], text, reading, async ([batch]) => {
      for (const [place, router] of routers.entries())
        addTokens(at(at(sums, place), index), router, batch ?? new Map());
    });
  }
  return routers.map(({ name, experts }, i) => summarize(name, experts, at(sums, i)));
}

/** A mixture with its routers. */
export interface RoutedNetwork {
  /** Network with a tensor for every weight of the graph. */
  readonly network: Checkpoint;
  /** Routers of the graph, see `discoverRouters`. */
  readonly routers: readonly RouterLayer[];
}

/** A router with the results of its experts. */
interface MeasuredLayer extends RouterLayer {
  /** Names of the results of experts before they are weighed, `[tokens, width]`, in the order of experts. */
  readonly results: readonly string[];
}

/** Sums over the tokens of one text. */
interface ExpertSums {
  tokens: number;
  readonly weights: Float64Array;
  readonly saliences: Float64Array;
  /** Weighed squared distances of pairs, and weighed squared norms of both, `[experts, experts]`. */
  readonly distances: Float64Array;
  readonly norms: Float64Array;
}

function createSums(experts: number): ExpertSums {
  const numbers = (count: number) => new Float64Array(count);
  return {
    tokens: 0,
    weights: numbers(experts),
    saliences: numbers(experts),
    distances: numbers(experts * experts),
    norms: numbers(experts * experts),
  };
}

function addTokens(sums: ExpertSums, router: MeasuredLayer, batch: ReadonlyMap<string, Tensor>): void {
  const read = (name: string) => {
    const { data, dtype } = entry(batch, name, "value");
    return toFloat32(data, dtype);
  };
  const { experts } = router;
  const shares = readShares(router, entry(batch, router.shares.value, "value"));
  const results = router.results.map(read);
  const width = (at(results, 0, "expert").length * experts) / shares.length;
  for (let token = 0; token * experts < shares.length; token++) {
    sums.tokens++;
    const rows = results.map((result) => result.subarray(token * width, (token + 1) * width));
    const squares = rows.map((row) => dotOf(row, row));
    for (let expert = 0; expert < experts; expert++) {
      const weight = shares[token * experts + expert] as number;
      if (weight !== 0) addExpert(sums, { expert, weight, rows, squares });
    }
  }
}

/** An expert that a token is sent to, with the results of all experts and their squared norms. */
interface ChosenExpert {
  readonly expert: number;
  readonly weight: number;
  readonly rows: readonly Float32Array[];
  readonly squares: readonly number[];
}

function addExpert(sums: ExpertSums, { expert, weight, rows, squares }: ChosenExpert): void {
  const add = (to: Float64Array, place: number, value: number) => {
    to[place] = (to[place] as number) + value;
  };
  const square = at(squares, expert);
  add(sums.weights, expert, weight);
  add(sums.saliences, expert, weight * Math.sqrt(square));
  for (const [other, row] of rows.entries()) {
    if (other === expert) continue;
    const both = square + at(squares, other);
    const apart = weight * Math.max(0, both - 2 * dotOf(at(rows, expert), row));
    for (const place of [expert * rows.length + other, other * rows.length + expert]) {
      add(sums.distances, place, apart);
      add(sums.norms, place, (weight * both) / 2);
    }
  }
}

function dotOf(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

function summarize(layer: string, experts: number, texts: readonly ExpertSums[]): LayerExperts {
  const meanOver = (count: number, read: (text: ExpertSums) => Float64Array) =>
    Float64Array.from({ length: count }, (_, i) =>
      sumOf(texts.map((text) => at(read(text), i) / (text.tokens * texts.length))),
    );
  const norms = meanOver(experts * experts, (text) => text.norms);
  return {
    layer,
    weights: meanOver(experts, ({ weights }) => weights),
    saliences: meanOver(experts, ({ saliences }) => saliences),
    distances: meanOver(experts * experts, ({ distances }) => distances).map((distance, place) =>
      at(norms, place) > 0 ? distance / at(norms, place) : 0,
    ),
  };
}
