import { at, groupBy } from "@isthmus/core";
import {
  type Architecture,
  type Graph,
  type Node,
  type Probe,
  type ProbeOptions,
  probeGraph,
} from "@isthmus/graph";
import { indexValues, type ValueIndex } from "../value-index.ts";
import type { Exchange, Selector } from "./exchange-parts.ts";
import { findSelectors } from "./find-selectors.ts";
import { commonName, formOf, type PartForm } from "./part-forms.ts";
import { coneOf, type FormContext, isSum, summandsOf } from "./value-cones.ts";

/**
 * Discovers the parts of a network that may change places although their weights are separate tensors, such
 * as the experts of a mixture: summands that are computed alike from weights of their own, and from one index
 * each of a value whose axis may be permuted, such as a router's shares.
 *
 * @throws EngineError if the engine cannot run the graph
 */
export async function discoverExchanges(
  { graph, engine }: Architecture,
  options: ProbeOptions = {},
): Promise<Exchange[]> {
  return findExchanges(graph, await probeGraph({ graph, engine }, options));
}

/** Finds the exchanges of {@link discoverExchanges} in a graph that was probed before. */
export function findExchanges(graph: Graph, probe: Probe): Exchange[] {
  const index = indexValues(graph);
  return graph.nodes.filter(isSum).flatMap((node) => {
    // Of nested sums only the last is examined: the others are taken apart with it.
    const [reader, ...others] = index.readers.get(at(node.outputs, 0, "output")) ?? [];
    const isInner = reader !== undefined && others.length === 0 && isSum(reader);
    return isInner ? [] : exchangesOf(index, probe, node);
  });
}

function exchangesOf(index: ValueIndex, probe: Probe, root: Node): Exchange[] {
  const all = summandsOf(index, root);
  const summands = all.filter((name) => index.readers.get(name)?.length === 1);
  const byMaker = groupBy(summands, (name) => makerKey(index, name));
  if ([...byMaker.values()].every(({ length }) => length < 2)) return [];
  const counts = new Map<string, number>();
  for (const name of all.flatMap((summand) => [...coneOf(index, summand)]))
    counts.set(name, (counts.get(name) ?? 0) + 1);
  const context: FormContext = { index, probe, isShared: (name) => (counts.get(name) ?? 0) > 1 };
  const forms = summands.map((summand) => formOf(context, summand));
  const alike = [...groupBy(forms, ({ form }) => form).values()].filter(({ length }) => length > 1);
  return alike.flatMap((parts) => exchangeOf(index, probe, { parts, sum: at(root.outputs, 0, "output") }));
}

/** Returns a key of the operator that makes a summand: summands that are computed alike have equal keys. */
function makerKey({ makers }: ValueIndex, name: string): string {
  const maker = makers.get(name);
  return maker === undefined ? name : `${maker.domain}:${maker.op}`;
}

function exchangeOf(
  index: ValueIndex,
  probe: Probe,
  { parts, sum }: { readonly parts: readonly PartForm[]; readonly sum: string },
): Exchange[] {
  const weights = parts.map((part) => part.weights);
  const all = weights.flat();
  if (all.length === 0 || new Set(all).size !== all.length) return [];
  const selectors: Selector[] = [];
  // Parts of the same form have equally many selections.
  const { selections } = at(parts, 0, "part");
  const selectionsAt = (k: number) => parts.map((part) => at(part.selections, k, "selection"));
  for (const k of selections.keys()) {
    const ofValue = findSelectors(index, probe, selectionsAt(k));
    if (ofValue === undefined) return [];
    selectors.push(...ofValue);
  }
  if (new Set(selectors.map(({ weight, axis }) => `${weight} ${axis}`)).size !== selectors.length) return [];
  const [shares] = selections;
  return [
    {
      name: commonName(all),
      parts: weights,
      selectors,
      shares: shares && { value: shares.value, axis: shares.axis },
      indices: shares === undefined ? [] : selectionsAt(0).map((selection) => selection.index),
      sum,
    },
  ];
}
