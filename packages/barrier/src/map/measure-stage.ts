import { at, InvariantError } from "@isthmus/core";
import type { PairNetwork } from "@isthmus/findings";
import { average } from "@isthmus/interpolation";
import type { Journal } from "@isthmus/tasks";
import { chordBarrier } from "../barrier-values.ts";
import { bindNetwork } from "../bind-network.ts";
import type { CorrectedEvaluator, EvaluatedArchitecture } from "../create-corrected-evaluator.ts";
import type { MappedMean, MappedPair, MapStage } from "../map-result.ts";
import { joinByAverage } from "./average-linkage.ts";
import type { MeasureMapPairs, ResolvedMapOptions } from "./map-options.ts";
import { distanceOf, placesOf } from "./measure-pairs.ts";
import { orderLeaves } from "./order-leaves.ts";
import { placeByDistances } from "./place-by-distances.ts";

/** Network in one state of alignment. */
export interface StageNetwork extends PairNetwork {
  /** Role of the network; a star is not part of the mean. */
  readonly role: "network" | "star";
}

/** Context of the measurement of a stage. */
export interface StageTools extends EvaluatedArchitecture {
  /** Evaluator that corrects batch norms of a network before it runs it. */
  readonly evaluator: CorrectedEvaluator;
  /** Journal of the measurements made so far. */
  readonly journal: Journal;
  /** Options of the map with all defaults filled in. */
  readonly options: ResolvedMapOptions;
  /** Port that measures pairs of networks, here or on other machines. */
  readonly measurePairs: MeasureMapPairs;
  /** Called with the number of networks that were just evaluated or taken from the journal. */
  readonly count: (more: number) => void;
}

/** Loss and error of a network. */
interface Measured {
  readonly loss: number;
  readonly error: number;
}

/** Computes the number of networks that are evaluated for one stage. */
export function countOfStage(networks: number, points: number): number {
  return networks + 1 + ((networks * (networks - 1)) / 2) * (points - 2);
}

/**
 * Measures all pairs of networks, and their mean; and computes the tree and the places from these measures.
 */
export async function measureStage(
  networks: readonly StageNetwork[],
  tools: StageTools,
): Promise<MapStage & { readonly ends: readonly Measured[] }> {
  const ends: Measured[] = [];
  for (const network of networks) ends.push(await measureEnd(network, tools));
  const pairs = await measureAllPairs(networks, ends, tools);
  const mean = await measureMean(networks, tools);
  return { ends, pairs, mean, ...arrange(networks.length, pairs, mean) };
}

async function measureEnd(
  { network, fingerprint }: StageNetwork,
  { evaluator, journal, options, count }: StageTools,
): Promise<Measured> {
  const numbers = await journal.get(`network ${fingerprint}`, async () => {
    options.signal?.throwIfAborted();
    const { loss, error } = await evaluator.evaluate(network, undefined);
    return [loss, error];
  });
  count(1);
  return { loss: at(numbers, 0, "loss"), error: at(numbers, 1, "error") };
}

/** Measures the barriers between all pairs of networks, and their distances, except those in the journal. */
async function measureAllPairs(
  networks: readonly StageNetwork[],
  ends: readonly Measured[],
  tools: StageTools,
): Promise<MappedPair[]> {
  const { journal, options, count } = tools;
  const { points } = options;
  const all = networks.flatMap((_, a) => networks.slice(a + 1).map((_, i) => [a, a + 1 + i] as const));
  const missing = all.filter((pair) => !journal.has(pairKey(networks, pair)));
  count((points - 2) * (all.length - missing.length));
  if (missing.length > 0) await measureMissingPairs(networks, missing, tools);
  const pairs: MappedPair[] = [];
  for (const pair of all) {
    const numbers = await journal.get(pairKey(networks, pair), () => {
      throw new InvariantError(`the pair ${pair.join(" and ")} of the map was not measured`);
    });
    const both = [at(ends, pair[0], "network"), at(ends, pair[1], "network")] as const;
    pairs.push({ a: pair[0], b: pair[1], ...barriersOf(numbers, both, points) });
  }
  return pairs;
}

type Pair = readonly [a: number, b: number];

/** Returns the key of a pair in the journal. */
function pairKey(networks: readonly StageNetwork[], [a, b]: Pair): string {
  return `pair ${at(networks, a, "network").fingerprint} ${at(networks, b, "network").fingerprint}`;
}

/** Measures pairs of networks into the journal. */
async function measureMissingPairs(
  networks: readonly StageNetwork[],
  pairs: readonly Pair[],
  { graph, journal, options, measurePairs, count }: StageTools,
): Promise<void> {
  const { points, statistics, batchSize, signal } = options;
  const evaluations = (points - 2) * pairs.length;
  let counted = 0;
  const countTo = (evaluated: number) => {
    count(evaluated - counted);
    counted = evaluated;
  };
  await measurePairs(
    { graph, networks, pairs, options: { points, statistics, batchSize } },
    {
      signal,
      onProgress: (done) => countTo(done * evaluations),
      async onPair(pair, numbers) {
        await journal.get(pairKey(networks, at(pairs, pair, "pair")), async () => numbers);
      },
    },
  );
  countTo(evaluations);
}

/** Computes the barriers of a pair from the losses and errors between its networks. */
function barriersOf(
  numbers: readonly number[],
  [a, b]: readonly [Measured, Measured],
  points: number,
): Omit<MappedPair, "a" | "b"> {
  const places = placesOf(points);
  const between = places.length - 2;
  const losses = numbers.slice(1, 1 + between);
  const errors = numbers.slice(1 + between, 1 + 2 * between);
  const rise = (values: readonly number[], measure: keyof Measured) =>
    chordBarrier(places, [a[measure], ...values, b[measure]]).chord;
  const barriers = { loss: rise(losses, "loss"), error: rise(errors, "error") };
  return { distance: at(numbers, 0, "distance"), ...barriers, losses, errors };
}

/** Measures the mean of all networks but the star. */
async function measureMean(
  networks: readonly StageNetwork[],
  { graph, evaluator, journal, count, options: { signal } }: StageTools,
): Promise<MappedMean> {
  const averaged = networks.filter(({ role }) => role === "network");
  const fingerprints = networks.map(({ fingerprint, role }) => `${role} ${fingerprint}`).join(" ");
  const [loss = Number.NaN, error = Number.NaN, ...distances] = await journal.get(
    `mean ${fingerprints}`,
    async () => {
      signal?.throwIfAborted();
      const mean = await bindNetwork(graph, average(averaged.map(({ network }) => network)));
      const shares = averaged.map(() => 1 / averaged.length);
      const measured = await evaluator.evaluate(mean, shares);
      const lengths: number[] = [];
      for (const { network } of networks) {
        lengths.push(await distanceOf(graph, [mean, network]));
      }
      return [measured.loss, measured.error, ...lengths];
    },
  );
  count(1);
  return { loss, error, distances };
}

/** Computes the tree from the barriers, and the places from the distances. */
function arrange(
  n: number,
  pairs: readonly MappedPair[],
  { distances: toMean }: MappedMean,
): Pick<MapStage, "tree" | "places"> {
  const barriers = squareOf(n, pairs, ({ loss }) => loss);
  const distances = squareOf(n, pairs, ({ distance }) => distance);
  const joins = joinByAverage(barriers, distances);
  const withMean = [...distances.map((row, i) => [...row, at(toMean, i, "distance")]), [...toMean, 0]];
  const { places, stress } = placeByDistances(withMean);
  return {
    tree: { joins, order: orderLeaves(joins, barriers) },
    places: { networks: places.slice(0, n), mean: at(places, n, "place"), stress },
  };
}

function squareOf(
  n: number,
  pairs: readonly MappedPair[],
  numberOf: (pair: MappedPair) => number,
): number[][] {
  const square = Array.from({ length: n }, () => Array.from({ length: n }, () => 0));
  for (const pair of pairs) {
    at(square, pair.a, "row")[pair.b] = numberOf(pair);
    at(square, pair.b, "row")[pair.a] = numberOf(pair);
  }
  return square;
}
