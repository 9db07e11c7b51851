import { at } from "@isthmus/core";
import {
  alikeFormat,
  type Figure,
  formatNumber,
  type LinePoint,
  pairMapFigure,
  sequentialScale,
} from "@isthmus/findings";
import type { ComparisonResult } from "../comparison-result.ts";
import { listBlocks, measureBlocks, shortenBlocks } from "./blocks.ts";
import { angleOf, findPair, networkNames, pairName } from "./network-names.ts";

/** Most pairs whose lines a reader can distinguish; more pairs are drawn as a heat map. */
const MOST_LINES = 4;

/** Makes heat maps of the distances between networks and of the angles between their steps. */
export function mapFigures(result: ComparisonResult): Figure[] {
  const { networks, pairs, taskVectors } = result;
  // One pair has one number, which needs no map.
  const maps = pairs.length > 1 ? [distanceMap(result)] : [];
  if (taskVectors !== null && taskVectors.networks.length > 1) return [...maps, stepMap(result)];
  return networks.length > 2 ? [...maps, angleMap(result)] : maps;
}

function distanceMap(result: ComparisonResult): Figure {
  const names = networkNames(result);
  return pairMapFigure({
    name: "distances",
    title: "Distance of every two networks,",
    caption:
      "in units of the geometric mean of both norms: strangers are about 1.4 apart, as far as orthogonal vectors of one length.",
    names,
    values: names.map((_, i) => names.map((__, j) => findPair(result, i, j)?.distance ?? null)),
    label: "Distance",
    table: "pairs",
  });
}

function angleMap(result: ComparisonResult): Figure {
  const names = networkNames(result);
  return pairMapFigure({
    name: "angles",
    title: "Angle between the weights of every two networks,",
    caption:
      "in degrees: 90 where they have nothing in common. Name a base (--base) to see the angles between what each has learned since.",
    names,
    values: names.map((_, i) => names.map((__, j) => angleOf(findPair(result, i, j)?.cosine ?? null))),
    label: "Angle (degrees)",
    table: "pairs",
  });
}

function stepMap(result: ComparisonResult): Figure {
  const { taskVectors } = result;
  const { networks, cosines, base, guessed } = taskVectors ?? {
    networks: [],
    cosines: [],
    base: 0,
    guessed: false,
  };
  const all = networkNames(result);
  const from = at(all, base, "network");
  return pairMapFigure({
    name: "angles",
    title: `Angle between steps from ${from},`,
    caption: `in degrees${guessed ? "; the base was not given, but this network looks like it" : ""}. A step, or task vector, is what training added to the base: steps at 90 degrees hardly disturb each other, those beyond 90 undo each other.`,
    names: networks.map((network) => at(all, network, "network")),
    values: cosines.map((row, i) => row.map((cosine, j) => (i === j ? null : angleOf(cosine)))),
    label: "Angle (degrees)",
    table: "steps",
  });
}

/**
 * Names the pairs that are drawn along the depth: with a base, only pairs of the base and another network,
 * which show the effect of training.
 */
function drawnPairs(result: ComparisonResult) {
  const { pairs, taskVectors } = result;
  const names = networkNames(result);
  const ofBase = pairs.filter(({ a, b }) => a === taskVectors?.base || b === taskVectors?.base);
  return ofBase.length === 0
    ? pairs.map((pair) => ({ pair, label: pairName(result, pair) }))
    : ofBase.map((pair) => ({
        pair,
        label: at(names, pair.a === taskVectors?.base ? pair.b : pair.a, "network"),
      }));
}

/** Makes the figure of distances along the depth of networks; none if no tensor has a distance. */
export function depthFigures(result: ComparisonResult): Figure[] {
  const pairs = drawnPairs(result);
  const blocks = listBlocks([
    ...new Set(pairs.flatMap(({ pair: { tensors } }) => tensors.map(({ name }) => name))),
  ]);
  const measured = pairs.map(({ pair, label }) => ({ label, distances: measureBlocks(pair) }));
  const shown = measured.filter(({ distances }) => distances.size > 0);
  if (shown.length === 0) return [];
  const words = shown.map(({ label, distances }) => {
    const [far] = [...distances].sort(([, x], [, y]) => y.median - x.median);
    return `${label}: farthest apart in ${far?.[0]}, ${formatNumber(far?.[1].median ?? Number.NaN)}`;
  });
  const label = `Distance of a tensor${result.taskVectors === null ? "" : " from the base"}`;
  const drawn = shown.length > MOST_LINES ? depthHeat : depthLines;
  return [
    {
      name: "depth",
      title: "Distance along the depth of the networks:",
      table: "blocks",
      size: "hero",
      words: `Distances of tensors by block. ${words.join("; ")}.`,
      ...drawn({ shown, blocks, label, names: shortenBlocks(blocks) }),
    },
  ];
}

/** Distances of pairs of networks by block. */
interface DepthDistances {
  readonly shown: readonly { readonly label: string; readonly distances: ReturnType<typeof measureBlocks> }[];
  readonly blocks: readonly string[];
  /** Short names of the blocks. */
  readonly names: readonly string[];
  /** Words for an axis of the distances. */
  readonly label: string;
}

const BLOCK_AXIS = "Block, from the input to the output";

function depthHeat({ shown, blocks, names, label }: DepthDistances): Pick<Figure, "caption" | "plot"> {
  const values = shown.map(({ distances }) => blocks.map((block) => distances.get(block)?.median ?? null));
  const numbers = values.flat().filter((value) => value !== null);
  return {
    caption:
      "one row a pair, one column a block, in units of the geometric mean of both norms; the median over the tensors of the block.",
    plot: {
      kind: "heat",
      rows: shown.map((pair) => pair.label),
      columns: names,
      values,
      label,
      columnLabel: BLOCK_AXIS,
      scale: sequentialScale(numbers),
      format: alikeFormat(numbers),
    },
  };
}

function depthLines({ shown, blocks, names, label }: DepthDistances): Pick<Figure, "caption" | "plot"> {
  return {
    caption:
      "the median over the tensors of each block, with their range as a shade, in units of the geometric mean of both norms. Blocks stand in the order of the network, as far as their names tell.",
    plot: {
      kind: "lines",
      series: shown.map((pair) => ({
        label: pair.label,
        points: blocks.flatMap((block, x): LinePoint[] => {
          const distance = pair.distances.get(block);
          if (distance === undefined) return [];
          return [{ x, y: distance.median, low: distance.low, high: distance.high }];
        }),
      })),
      x: { label: BLOCK_AXIS, names },
      y: { label, fromZero: true },
    },
  };
}
