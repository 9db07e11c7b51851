import { extractSubgraph, type Graph, type Probe } from "@isthmus/graph";
import { renameInputs, returnedNames } from "@isthmus/graph/ir";
import type { JointSymmetries } from "../verify/draw-changes.ts";
import { type ActionComparison, compareActions } from "./compare-actions.ts";
import { type Block, findBlocks, type IndexedNodes, indexNodes } from "./find-blocks.ts";
import { matchBlocks } from "./match-blocks.ts";

/** A graph without the blocks that are like earlier ones, and its symmetries. */
export interface DistinctBlocks {
  /** Graph in which the nodes behind a block that was left out read what the block read. */
  readonly graph: Graph;
  /** Symmetries without the weights of the blocks that were left out. */
  readonly symmetries: JointSymmetries;
  /** Names of the values with labels that the graph does not compute any more. */
  readonly leftOut: readonly string[];
}

/**
 * Leaves blocks out of a graph that are like earlier ones, such as all layers of a transformer but one.
 *
 * That symmetries keep every value of a block is a statement about its nodes, and about what the symmetries
 * do to the weights and values in it. If two blocks have the same nodes, and the symmetries do the same to
 * both, up to the names of units and variables, then both statements are one, and a proof of the first block
 * is a proof of the second. A block is left out if
 *
 * - its nodes are equal to the nodes of an earlier block one by one, with constants of equal numbers;
 * - units of every tensor correspond one to one: whole families of units of the same structure, parents
 *   included, so that the group moves the units of both blocks alike; and so do the variables of scales and
 *   signs, and the spaces that rotations and mixtures mix;
 * - it reads one value of the block in front of it, and else only what the earlier block reads, too;
 * - it hands one value on, to which the symmetries do exactly what they do to the value that it reads. The
 *   nodes behind it can then read that value, and what is predicted for theirs stays as it was.
 *
 * @returns undefined if no blocks are alike
 */
export function leaveOutBlocks(
  graph: Graph,
  symmetries: JointSymmetries,
  probe: Pick<Probe, "types" | "constants">,
): DistinctBlocks | undefined {
  const nodes = indexNodes(graph, probe);
  const createComparison = compareActions(symmetries);
  const blocksOfKinds = new Map<string, Block[]>();
  const left = new Uint8Array(graph.nodes.length);
  const replaced = new Map<string, string>();
  for (const block of findBlocks(nodes)) {
    const earlier = blocksOfKinds.get(block.kinds) ?? [];
    const ends = endsOf(nodes, block, earlier, createComparison);
    if (ends === undefined) {
      blocksOfKinds.set(block.kinds, [...earlier, block]);
    } else {
      left.fill(1, block.begin, block.end);
      replaced.set(ends.handedOn, replaced.get(ends.fed) ?? ends.fed);
    }
  }
  if (replaced.size === 0) return undefined;
  const others = graph.nodes.filter((_, place) => left[place] === 0);
  const spliced = { ...graph, nodes: others.map((node) => renameInputs(node, replaced)) };
  const distinct = extractSubgraph(spliced, [], returnedNames(graph));
  return {
    graph: { ...distinct, outputs: graph.outputs },
    symmetries: restrict(symmetries, distinct.weights),
    leftOut: graph.nodes
      .flatMap(({ outputs }, place) => (left[place] === 1 ? outputs : []))
      .filter((name) => symmetries.permutations.labels.values.has(name)),
  };
}

/** The values that a block reads and hands on. */
interface Ends {
  readonly fed: string;
  readonly handedOn: string;
}

/** Finds the ends of a block that is like an earlier one; undefined if it is like none. */
function endsOf(
  nodes: IndexedNodes,
  { begin, end }: Block,
  earlier: readonly Block[],
  createComparison: () => ActionComparison,
): Ends | undefined {
  const values = nodes.graph.nodes.slice(begin, end).flatMap(({ outputs }) => outputs);
  const [handedOn, ...more] = values.filter((name) => (nodes.lastReader.get(name) ?? -1) >= end);
  const isReturned = nodes.lastReader.get(handedOn ?? "") === Number.POSITIVE_INFINITY;
  if (handedOn === undefined || more.length > 0 || isReturned) return undefined;
  for (const first of earlier) {
    const match = matchBlocks(nodes, [first.begin, begin], end - begin);
    if (match === undefined) continue;
    const [inside, across] = [createComparison(), createComparison()];
    const fed = match.fed[1];
    if (!across.matches(fed, handedOn) || !across.isIdentity()) return undefined;
    if (match.names.every(([a, b]) => inside.matches(a, b))) return { fed, handedOn };
  }
  return undefined;
}

/** Restricts symmetries to the weights of a part of their graph. */
function restrict(
  { permutations, linear, mixing, ...rest }: JointSymmetries,
  weights: Graph["weights"],
): JointSymmetries {
  const only = <T>(layouts: ReadonlyMap<string, T>) =>
    new Map([...layouts].filter(([name]) => weights.has(name)));
  const { spec } = permutations;
  return {
    ...rest,
    permutations: { ...permutations, spec: { ...spec, weights: only(spec.weights) } },
    linear: linear && {
      ...linear,
      scales: { ...linear.scales, weights: only(linear.scales.weights) },
      signs: { ...linear.signs, weights: only(linear.signs.weights) },
    },
    mixing: mixing && {
      ...mixing,
      weights: only(mixing.weights),
      gains: mixing.gains.filter(({ gain }) => weights.has(gain)),
    },
  };
}
