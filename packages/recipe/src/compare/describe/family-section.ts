import { at, entry } from "@isthmus/core";
import { type Figure, formatNumber, type LinePoint, type Section } from "@isthmus/findings";
import type { ComparisonResult } from "../comparison-result.ts";
import type { FamilyTrees } from "../descent/family-trees.ts";
import { listTree, type TreeRow } from "../descent/list-tree.ts";
import { networkNames, shortName } from "./network-names.ts";

/** Makes the section with the family trees; none if no network has a parent among the others. */
export function familySection(result: ComparisonResult): Section[] {
  const { descent } = result;
  if (descent === null || descent.parents.every((parent) => parent === null)) return [];
  const [rows, names] = [listTree(descent), networkNames(result)];
  return [
    {
      name: "family",
      title: "Which was trained from which",
      figures: [treeFigure(result, descent, rows)],
      tables: [
        {
          name: "family",
          title: "Parents",
          caption: `Trees of least distance. ${descent.rooted ? "The base was named." : "The root is a guess."} Direction is the share of matrices with more outliers in the network than in its parent: .5 says nothing, and weight decay turns it round.`,
          columns: [
            { title: "Network", kind: "text" },
            { title: "Parent", kind: "text" },
            { title: "Distance", kind: "number" },
            { title: "Direction", kind: "number" },
          ],
          rows: rows.map(({ network }) => {
            const parent = at(descent.parents, network, "network");
            return {
              cells: [
                at(names, network, "network"),
                parent === null ? "-" : at(names, parent, "network"),
                at(descent.distances, network, "network"),
                at(descent.support, network, "network"),
              ],
            };
          }),
        },
      ],
    },
  ];
}

/**
 * Draws each tree as one line that goes from the root through all networks and back, children below
 * parents.
 */
function treeFigure(result: ComparisonResult, descent: FamilyTrees, rows: readonly TreeRow[]): Figure {
  const names = networkNames(result);
  const places = new Map<number, LinePoint>();
  for (const [y, { network }] of rows.entries()) {
    const parent = at(descent.parents, network, "network");
    const from = parent === null ? 0 : entry(places, parent, "network").x;
    places.set(network, { x: from + (at(descent.distances, network, "network") ?? 0), y });
  }
  const childrenOf = (parent: number) => rows.filter(({ network }) => descent.parents[network] === parent);
  const walk = (network: number): LinePoint[] => {
    const point = entry(places, network, "network");
    const named = { ...point, name: at(names, network, "network") };
    return [named, ...childrenOf(network).flatMap((child) => [...walk(child.network), point])];
  };
  const roots = rows.filter(({ depth }) => depth === 0);
  const words = rows.map(({ network, lines }) => `${lines}${at(names, network, "network")}`.trim());
  return {
    name: "family",
    title: "Family trees,",
    caption:
      "each network to the right of its parent, by their distance in units of the geometric mean of both norms. Lines go from parents to children.",
    words: `Family trees of ${rows.length} networks, in the order of the figure: ${words.join("; ")}. Largest distance from a root ${formatNumber(Math.max(...[...places.values()].map(({ x }) => x)))}.`,
    table: "family",
    size: "hero",
    plot: {
      kind: "lines",
      series: roots.map(({ network }) => ({
        label: `from ${at(names, network, "network")}`,
        points: walk(network),
      })),
      x: { label: "Distance from the root", fromZero: true },
      y: {
        label: "Network",
        names: rows.map(({ network }) => shortName(result, network)),
        domain: [rows.length - 0.5, -0.5],
      },
    },
  };
}
