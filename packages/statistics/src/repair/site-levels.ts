import { at, entry } from "@isthmus/core";
import type { Graph, Node } from "@isthmus/graph";
import { capturedNames } from "@isthmus/graph/ir";
import type { Site } from "./site.ts";

/** Sites of a graph that can be measured together, as no path leads from one to another. */
export interface SiteLevel<S extends Site> {
  readonly sites: readonly S[];
  /** Names of values that are computed from the data before this level and used in it or later. */
  readonly live: readonly string[];
}

/** Sorts sites into levels by the largest number of sites before them on a path from the data. */
export function sortSites<S extends Site>(graph: Graph, sites: readonly S[]): SiteLevel<S>[] {
  const siteOf = new Map(sites.map((site) => [site.node, site]));
  const depth = depthOfValues(graph, (node) => siteOf.has(node.name));
  const levels: S[][] = [];
  for (const node of graph.nodes) {
    const site = siteOf.get(node.name);
    if (site === undefined) continue;
    const level = entry(depth, at(node.outputs, 0, "output"), "depth");
    while (levels.length < level) levels.push([]);
    at(levels, level - 1, "level").push(site);
  }
  return levels.map((level, index) => ({ sites: level, live: liveValues(graph, depth, index) }));
}

/** Counts the sites before each value that depends on the data; other values are missing. */
function depthOfValues(graph: Graph, isSite: (node: Node) => boolean): Map<string, number> {
  const depth = new Map<string, number>(graph.inputs.map(({ name }) => [name, 0]));
  for (const node of graph.nodes) {
    let level = -1;
    for (const name of readBy(node)) level = Math.max(level, depth.get(name) ?? -1);
    if (isSite(node)) level = Math.max(level, 0) + 1;
    if (level < 0) continue;
    for (const name of node.outputs) if (name !== "") depth.set(name, level);
  }
  return depth;
}

function liveValues(graph: Graph, depth: ReadonlyMap<string, number>, level: number): string[] {
  const live = new Set<string>();
  for (const node of graph.nodes) {
    const nodeDepth = Math.max(-1, ...node.outputs.map((name) => depth.get(name) ?? -1));
    if (nodeDepth <= level) continue;
    for (const name of readBy(node))
      if ((depth.get(name) ?? Number.POSITIVE_INFINITY) <= level) live.add(name);
  }
  return [...live];
}

function readBy(node: Node): readonly string[] {
  return [...node.inputs, ...capturedNames(node)];
}
