import { at } from "@isthmus/core";
import {
  type ColorScale,
  dataWords,
  type Figure,
  factorScale,
  formatCounted,
  formatNumber,
  formatShort,
  lossWords,
  type PlaceSeries,
  pairMapFigure,
} from "@isthmus/findings";
import type { MapResult, MapStage } from "../../map-result.ts";
import { bracketsOf, MAP_STAGES, mapNames, orderOf, squareInOrder } from "./map-networks.ts";

/** Stress above which distances in the plane say little about distances of networks (Kruskal 1964). */
const POOR = 0.2;
/** Half the extent of a figure over the distance of the farthest network from the middle. */
const ROOM = 1.25;

/** Makes the heat maps of barriers, before and after alignment, with one scale of colours. */
export function barrierMaps(result: MapResult): Figure[] {
  const scale = factorScale(MAP_STAGES.flatMap(({ key }) => result[key].pairs.map(({ loss }) => loss)));
  return MAP_STAGES.map((stage) => barrierMap(result, stage, scale));
}

function barrierMap(
  result: MapResult,
  { key, name }: (typeof MAP_STAGES)[number],
  scale: ColorScale,
): Figure {
  const { points, data, examples } = result;
  const losses = lossWords(result);
  const stage = result[key];
  const names = mapNames(result);
  const order = orderOf(result);
  const tree = bracketsOf(stage, order);
  const tallest = Math.max(...stage.tree.joins.map(({ height }) => height));
  const treeWords =
    tree.length > 0
      ? `The tree joins the networks between which barriers are lowest on average; it is ${formatNumber(tallest)} high.`
      : "The tree of these barriers would cross itself in this order; the table of the trees has it.";
  return pairMapFigure({
    name: `barriers-${key}`,
    title: `Loss barriers of all pairs, ${name.toLowerCase()},`,
    caption: `${losses.inUnit}; darker is lower, bands grow by factors. Both maps have one scale of colours, and the order in which the tree joins the aligned networks. ${treeWords} Measured at ${formatCounted(points, "place")} of each line on ${dataWords(data, examples)}.`,
    names: order.map((network) => at(names, network, "name")),
    values: squareInOrder(stage, order, ({ loss }) => loss),
    label: losses.axis(`${name}: loss barrier`),
    table: "pairs",
    scale,
    tree,
  });
}

/**
 * Makes the figures of the networks in the plane, before and after alignment, with one scale of distances.
 */
export function placeMaps(result: MapResult): Figure[] {
  const radius = ROOM * Math.max(...MAP_STAGES.map(({ key }) => farthest(result[key])));
  return MAP_STAGES.map(({ key, name }) => {
    const { places } = result[key];
    const poor = places.stress > POOR ? ", so that near and far are to be taken roughly" : "";
    const words = mapNames(result).map((network, i) => {
      const [x, y] = at(places.networks, i, "place");
      return `${network} at ${formatShort(x)}, ${formatShort(y)}`;
    });
    return {
      name: `places-${key}`,
      title: `Networks in the plane, ${name.toLowerCase()},`,
      caption: `so that distances are as near as a plane allows to those between all weights (stress ${formatShort(places.stress, 2)}${poor}). Directions mean nothing; both pictures have one scale.`,
      words: `Networks as points of a plane. ${words.join("; ")}.`,
      table: "networks",
      size: "half",
      plot: {
        kind: "places",
        series: seriesOf(result, key),
        radius: radius || 1,
        label: "distance between weights",
      },
    };
  });
}

function farthest({ places }: MapStage): number {
  return Math.max(...[...places.networks, places.mean].map(([x, y]) => Math.hypot(x, y)));
}

function seriesOf(result: MapResult, key: "before" | "after"): PlaceSeries[] {
  const { networks } = result;
  const { places } = result[key];
  const names = mapNames(result);
  const named = names.map((name, i) => {
    const [x, y] = at(places.networks, i, "place");
    return { name, x, y };
  });
  const [x, y] = places.mean;
  const stars = named.filter((_, i) => networks[i]?.role === "star");
  return [
    { label: "network", points: named.filter((_, i) => networks[i]?.role !== "star") },
    { label: "their mean", points: [{ name: "mean", x, y }] },
    ...(stars.length === 0 ? [] : [{ label: "star", points: stars }]),
  ];
}
