import { at } from "@isthmus/core";
import { type Figure, formatCounted, type LossWords, type Section, type Table } from "@isthmus/findings";
import { isOnEdge } from "../topology/grid-neighbors.ts";
import type { GridTopology } from "../topology/grid-topology.ts";
import { mergeTree } from "../topology/merge-tree.ts";
import type { MergeTree } from "../topology/merge-tree-result.ts";
import { countMinima, minimaWords } from "./minima-words.ts";
import { barsOf, layOutTree } from "./tree-layout.ts";

/** Largest number of minima that are drawn or listed: the most persistent ones. */
const MOST_MINIMA = 40;

/** Grid of losses, and the minima and saddles found on it. */
export interface TopologyOfGrid {
  /** Minima, saddles and merge tree of the losses. */
  readonly topology: GridTopology;
  /** Losses of all places, in row-major order. */
  readonly values: readonly number[];
  /** Names of the coordinates of a place, and the coordinates. */
  readonly coordinates: readonly { readonly name: string; readonly of: (place: number) => number }[];
  /** Words for an axis of the losses, with the unit. */
  readonly label: string;
  /** Words for losses and their unit. */
  readonly losses: LossWords;
  /** Words for the examples on which the losses were measured. */
  readonly examples: string;
}

/** Describes the minima and saddles of a grid, with the tree in which they join. */
export function topologySections(grid: TopologyOfGrid): Section[] {
  const { topology, values } = grid;
  const shown = mostPersistent(topology, values);
  const left = topology.minima.length - shown.minima.length;
  const leftWords =
    left === 0 ? "" : ` ${formatCounted(left, "minimum", "minima")} that persist least are left out.`;
  return [
    {
      name: "topology",
      title: "Minima and saddles",
      figures: shown.minima.length < 2 ? [] : treeFigures(shown, grid, leftWords),
      tables: [roughnessTable(topology), minimaTable(grid, shown, leftWords)],
    },
  ];
}

/** Makes the figures of a tree of minima: how they join, and how long each persists. */
function treeFigures(shown: MergeTree, { label, examples }: TopologyOfGrid, leftWords: string): Figure[] {
  const measuredOn = `Measured on ${examples}.`;
  const minima = formatCounted(shown.minima.length, "minimum", "minima");
  return [
    {
      name: "merge-tree",
      title: "Merge tree of the losses,",
      caption: `how the parts below a level appear at minima and join at saddles as the level rises. Places beside each other along an axis count as neighbours.${leftWords} ${measuredOn}`,
      words: `A tree of ${minima} that join at ${formatCounted(shown.saddles.length, "saddle")}.`,
      table: "minima",
      size: "half",
      plot: { kind: "merge-tree", ...layOutTree(shown), axis: { label } },
    },
    {
      name: "barcode",
      title: "Persistence of the minima,",
      caption: `one bar for each, from its loss to the loss at which it meets a deeper one; the deepest, in another colour, goes on to the highest loss.${leftWords} ${measuredOn}`,
      words: `Bars of ${minima}, the longest first.`,
      table: "minima",
      size: "half",
      plot: { kind: "barcode", bars: barsOf(shown), axis: { label } },
    },
  ];
}

function roughnessTable(topology: TopologyOfGrid["topology"]): Table {
  const counts = countMinima(topology);
  const { mean, normalized, weighted } = topology.saddleMinimumDistance;
  return {
    name: "roughness",
    title: "How rough the losses are",
    caption:
      "The saddle-minimum average distance (SMAD) is the mean rise from a minimum to the first saddle of its branch; also over the range of losses, and weighted by the share of places that lead down to the minimum.",
    columns: [
      { title: "Minima inside", kind: "count" },
      { title: "On the edge", kind: "count" },
      { title: "Saddles", kind: "count" },
      { title: "SMAD", kind: "number" },
      { title: "Over the range", kind: "number" },
      { title: "Weighted", kind: "number" },
      { title: "Range", kind: "loss" },
    ],
    rows: [
      {
        cells: [
          ...[counts.inside, counts.onEdge],
          topology.saddles.length,
          mean,
          normalized,
          weighted,
          topology.range,
        ],
      },
    ],
    fixed: true,
  };
}

/** Leaves out the minima that persist least, if there are too many to look at. */
function mostPersistent(topology: MergeTree, values: readonly number[]): MergeTree {
  const { minima, shape } = topology;
  if (minima.length <= MOST_MINIMA) return topology;
  const persistences = minima.map(({ persistence }) => persistence).sort((a, b) => b - a);
  return mergeTree(values, shape, { leastPersistence: at(persistences, MOST_MINIMA, "persistence") });
}

function minimaTable(
  { coordinates, losses }: TopologyOfGrid,
  { minima, saddles, shape }: MergeTree,
  leftWords: string,
): Table {
  return {
    name: "minima",
    title: "Minima",
    caption: `The deepest first; losses ${losses.inUnit}. A saddle is where the branch of a minimum first meets another; persistence is the rise to where it meets a deeper one. A basin is the number of places from which the steepest way down ends in the minimum. On the edge, the loss may fall further beyond the grid. Minima that persist less than a thousandth of the range of losses are none.${leftWords}`,
    columns: [
      { title: "Minimum", kind: "count" },
      ...coordinates.map(({ name }) => ({ title: name, kind: "number" as const })),
      { title: "Where", kind: "text" },
      { title: "Loss", kind: "loss" },
      { title: "Loss at its saddle", kind: "loss" },
      { title: "Persistence", kind: "loss" },
      { title: "Basin", kind: "count" },
    ],
    rows: minima.map(({ index, value, saddle, persistence, basin }, k) => ({
      cells: [
        ...[k + 1, ...coordinates.map(({ of }) => of(index))],
        ...[isOnEdge(index, shape) ? "edge" : "inside", value],
        ...[saddle === undefined ? null : at(saddles, saddle, "saddle").value, persistence, basin],
      ],
    })),
  };
}

/** Says in a sentence what minima a grid has. */
export function topologyWords(topology: GridTopology, losses: LossWords): string {
  const { minima, saddles, saddleMinimumDistance } = topology;
  if (minima.length === 0) return "";
  const has = `Its losses have ${minimaWords(topology)}`;
  if (minima.length === 1) return `${has}.`;
  return `${has}; ${formatCounted(saddles.length, "saddle")} between them, on average ${losses.amount(saddleMinimumDistance.mean)} higher.`;
}
