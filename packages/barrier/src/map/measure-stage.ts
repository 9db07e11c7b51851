import { at, type Checkpoint } from "@isthmus/core";
import { average, createPath, innerProducts } from "@isthmus/interpolation";
import type { Journal } from "@isthmus/tasks";
import { chordBarrier } from "../barrier-values.ts";
import { bindNetwork, parameterNames } from "../bind-network.ts";
import type { CorrectedEvaluator, EvaluatedArchitecture } from "../create-corrected-evaluator.ts";
import type { MappedMean, MappedPair, MapStage } from "../map-result.ts";
import { joinByAverage } from "./average-linkage.ts";
import type { ResolvedMapOptions } from "./map-options.ts";
import { orderLeaves } from "./order-leaves.ts";
import { placeByDistances } from "./place-by-distances.ts";

/** A network in one state of alignment. */
export interface StageNetwork {
  readonly network: Checkpoint;
  /** Identifies its weights, which the journal keeps measurements under. */
  readonly fingerprint: string;
  readonly role: "network" | "star";
}

/** What the measuring of a stage needs. */
export interface StageTools extends EvaluatedArchitecture {
  readonly evaluator: CorrectedEvaluator;
  readonly journal: Journal;
  readonly options: ResolvedMapOptions;
  /** Called after every network that was evaluated, or that the journal had. */
  readonly count: () => void;
}

/** Loss and error of a network. */
interface Measured {
  readonly loss: number;
  readonly error: number;
}

/** Counts the networks that are evaluated for one stage. */
export function countOfStage(networks: number, points: number): number {
  return networks + 1 + ((networks * (networks - 1)) / 2) * (points - 2);
}

/** Measures all pairs of networks, and their mean; and makes the tree and the places of what was measured. */
export async function measureStage(
  networks: readonly StageNetwork[],
  tools: StageTools,
): Promise<MapStage & { readonly ends: readonly Measured[] }> {
  const ends: Measured[] = [];
  for (const network of networks) ends.push(await measureEnd(network, tools));
  const pairs: MappedPair[] = [];
  for (const [a, first] of networks.entries()) {
    let opened: Checkpoint | undefined;
    const open = async () => {
      opened ??= await bindNetwork(tools.graph, first.network);
      return opened;
    };
    for (const [b, second] of networks.entries()) {
      if (b <= a) continue;
      const both = [at(ends, a, "network"), at(ends, b, "network")] as const;
      pairs.push({ a, b, ...(await measurePair({ ...first, open }, second, both, tools)) });
    }
  }
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
  count();
  return { loss: at(numbers, 0, "loss"), error: at(numbers, 1, "error") };
}

/** Measures the barriers between two networks, and their distance. */
async function measurePair(
  first: StageNetwork & { readonly open: () => Promise<Checkpoint> },
  second: StageNetwork,
  ends: readonly [Measured, Measured],
  { graph, evaluator, journal, options: { points, signal }, count }: StageTools,
): Promise<Omit<MappedPair, "a" | "b">> {
  const places = Array.from({ length: points }, (_, i) => i / (points - 1));
  const between = places.slice(1, -1);
  let evaluated = 0;
  const numbers = await journal.get(`pair ${first.fingerprint} ${second.fingerprint}`, async () => {
    const both = [await first.open(), await bindNetwork(graph, second.network)] as const;
    const path = createPath("linear", ...both);
    const measured: Measured[] = [];
    for (const t of between) {
      signal?.throwIfAborted();
      measured.push(await evaluator.evaluate(path(t), [1 - t, t]));
      evaluated += 1;
      count();
    }
    const losses = measured.map(({ loss }) => loss);
    return [await distanceOf(both, parameterNames(graph)), ...losses, ...measured.map(({ error }) => error)];
  });
  for (; evaluated < between.length; evaluated++) count();
  const [a, b] = ends;
  const rise = (from: number, measure: keyof Measured) => {
    const values = numbers.slice(from, from + between.length);
    return chordBarrier(places, [a[measure], ...values, b[measure]]).chord;
  };
  return {
    distance: at(numbers, 0, "distance"),
    loss: rise(1, "loss"),
    error: rise(1 + between.length, "error"),
  };
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
        lengths.push(await distanceOf([mean, network], parameterNames(graph)));
      }
      return [measured.loss, measured.error, ...lengths];
    },
  );
  count();
  return { loss, error, distances };
}

async function distanceOf(
  networks: readonly [Checkpoint, Checkpoint],
  tensors: readonly string[],
): Promise<number> {
  const [[square = Number.NaN] = []] = await innerProducts(networks, [[-1, 1]], { tensors });
  return Math.sqrt(square);
}

/** Makes the tree of barriers, and the places by distances. */
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
