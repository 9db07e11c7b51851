import { at } from "@isthmus/core";
import type { Node } from "@isthmus/graph";
import { type IndexedNodes, sameInfo, sameTensor } from "./find-blocks.ts";
import { Renaming } from "./renaming.ts";

/** The correspondence of two blocks. */
export interface BlockMatch {
  /** Name in the later block by the name in the first one: values, weights, and what both read. */
  readonly names: readonly (readonly [first: string, later: string])[];
  /** The value that each of them reads of the nodes in front of it. */
  readonly fed: readonly [first: string, later: string];
}

/**
 * Compares two blocks of nodes node by node: each must read what the other reads, up to the names of weights
 * and of values of its own, constants of equal numbers, the same values of earlier nodes, and one value that
 * links it with the nodes in front of it.
 *
 * @param places - places of the first nodes of both blocks, whose operators, settings and shapes are equal
 * @returns undefined if the blocks differ
 */
export function matchBlocks(
  nodes: IndexedNodes,
  places: readonly [first: number, later: number],
  length: number,
): BlockMatch | undefined {
  const matcher = new Matcher(nodes, places);
  for (let i = 0; i < length; i++) {
    const [first, later] = places.map((place) => at(nodes.graph.nodes, place + i, "node"));
    if (first === undefined || later === undefined || !matcher.matches(first, later)) return undefined;
  }
  return matcher.fed && { names: matcher.pairs, fed: matcher.fed };
}

/**
 * Role of two inputs at the same place of two nodes: both are missing or equal constants; values of the
 * blocks themselves; numbers that may be any, such as weights; one value that both blocks read; or the values
 * of earlier nodes that each reads.
 */
type Role = "nothing" | "own" | "free" | "shared" | "link";

class Matcher {
  /** Names that correspond, each pair once. */
  readonly pairs: [string, string][] = [];
  fed: BlockMatch["fed"] | undefined;
  readonly #nodes: IndexedNodes;
  readonly #places: readonly [number, number];
  readonly #names = new Renaming<string>();

  constructor(nodes: IndexedNodes, places: readonly [number, number]) {
    this.#nodes = nodes;
    this.#places = places;
  }

  /** Matches two nodes at the same place of their blocks, behind all nodes in front of them. */
  matches(first: Node, later: Node): boolean {
    return (
      first.inputs.length === later.inputs.length &&
      first.outputs.length === later.outputs.length &&
      first.inputs.every((a, k) => this.#input(a, at(later.inputs, k, "input"))) &&
      first.outputs.every((a, k) => this.#output(a, at(later.outputs, k, "output")))
    );
  }

  #input(a: string, b: string): boolean {
    const role = this.#roleOf(a, b);
    if (role === "nothing") return true;
    if (role === undefined || role === "own") return role === "own" && this.#names.get(a) === b;
    if (role === "link") {
      this.fed ??= [a, b];
      if (this.fed[0] !== a || this.fed[1] !== b) return false;
    }
    return this.#add(a, b);
  }

  #output(a: string, b: string): boolean {
    return a === "" || b === "" ? a === b : this.#add(a, b);
  }

  #add(a: string, b: string): boolean {
    if (this.#names.get(a) === b) return true;
    this.pairs.push([a, b]);
    return this.#names.match(a, b);
  }

  /** Tells what two inputs are to their blocks; undefined if they are not alike. */
  #roleOf(a: string, b: string): Role | undefined {
    if (a === "" || b === "") return a === b ? "nothing" : undefined;
    const [first, later] = this.#places;
    const { makerOf } = this.#nodes;
    const [madeA, madeB] = [makerOf.get(a) ?? -1, makerOf.get(b) ?? -1];
    if (madeA >= first || madeB >= later) return madeA - first === madeB - later ? "own" : undefined;
    return a === b ? "shared" : this.#outerRoleOf(a, b);
  }

  /** Tells what two different inputs are that are not computed by the blocks. */
  #outerRoleOf(a: string, b: string): Role | undefined {
    const { graph, probe } = this.#nodes;
    const constantOf = (name: string) => graph.constants.get(name) ?? probe.constants.get(name);
    const [one, two] = [constantOf(a), constantOf(b)];
    if (one !== undefined && two !== undefined) return sameTensor(one, two) ? "nothing" : undefined;
    const [typeA, typeB] = [probe.types.get(a), probe.types.get(b)];
    if (one !== two || typeA === undefined || typeB === undefined || !sameInfo(typeA, typeB))
      return undefined;
    const [weightA, weightB] = [graph.weights.get(a), graph.weights.get(b)];
    if (weightA?.role !== weightB?.role) return undefined;
    // Numbers that the graph is fed are as free as weights are, such as tables of positions.
    const isInput = (name: string) => graph.inputs.some((input) => input.name === name);
    return weightA !== undefined || (isInput(a) && isInput(b)) ? "free" : "link";
  }
}
