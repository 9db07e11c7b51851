import { at, type Checkpoint } from "@isthmus/core";
import type { Architecture, BoundNetwork } from "@isthmus/graph";
import { innerProducts } from "@isthmus/interpolation";
import { type AlignResult, align } from "@isthmus/weight-matching";
import type { AlignmentGain } from "./comparison.ts";

/** The architecture of compared networks, and the networks bound to it in the order of the comparison. */
export interface ComparedArchitecture extends Architecture {
  /** Networks bound to the graph, the base last if one was named. */
  readonly networks: readonly BoundNetwork[];
}

/** Gain of aligning one pair, and the symmetries of the architecture, which the next pair reuses. */
export interface MeasuredGain {
  /** Distances of the pair before and after alignment. */
  readonly gain: AlignmentGain;
  /** Permutation symmetries of the graph, discovered once. */
  readonly symmetries: AlignResult["symmetries"];
}

/**
 * Measures how much nearer alignment by weights brings one network to another, over the trained parameters of
 * the graph. The gain is about 0 for networks of one ancestor, and the whole distance for a permuted copy.
 */
export async function measureAlignmentGain(
  architecture: ComparedArchitecture,
  [a, b]: readonly [number, number],
  options: {
    readonly seed: number;
    readonly symmetries: AlignResult["symmetries"] | undefined;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<MeasuredGain> {
  const [first, other] = [at(architecture.networks, a, "network"), at(architecture.networks, b, "network")];
  const { aligned, symmetries } = await align(architecture, [first, other], {
    ...options,
    restarts: 1,
    proof: "outputs",
  });
  const names = [...architecture.graph.weights]
    .filter(([, { role }]) => role === "parameter")
    .map(([name]) => name);
  const distance = (network: Checkpoint) => distanceBetween([first.network, network], names);
  const before = await distance(other.network);
  const after = await distance(at(aligned, 0, "aligned network").network);
  return { gain: { before, after, gain: before === 0 ? 0 : 1 - after / before }, symmetries };
}

async function distanceBetween(
  networks: readonly [Checkpoint, Checkpoint],
  tensors: readonly string[],
): Promise<number> {
  const directions = [
    [1, 0],
    [0, 1],
    [1, -1],
  ];
  const products = await innerProducts(networks, directions, { tensors });
  const [aa, bb, dd] = [0, 1, 2].map((i) => at(at(products, i, "row"), i, "product"));
  if (aa === undefined || bb === undefined || dd === undefined || aa * bb === 0) return 0;
  return Math.sqrt(dd / Math.sqrt(aa * bb));
}
