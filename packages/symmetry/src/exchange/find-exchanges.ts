import { at, entry, groupBy } from "@isthmus/core";
import {
  type Architecture,
  type Graph,
  type Node,
  type Probe,
  type ProbeOptions,
  probeGraph,
} from "@isthmus/graph";
import { valuesRead } from "@isthmus/graph/ir";
import { indexValues, type ValueIndex } from "../value-index.ts";
import type { AlikeParts, Exchange, Selector } from "./exchange-parts.ts";
import { findSelectors } from "./find-selectors.ts";
import { type Selection, selectionOf } from "./selections.ts";
import { coneOf, type FormContext, isSum, summandsOf } from "./value-cones.ts";

/** Form of the computation of a summand. */
interface PartForm {
  /** Description that is equal for summands that differ only by their weights, and by their selections. */
  readonly form: string;
  /** Names of the weights that only this summand reads, in the order in which they are met. */
  readonly weights: readonly string[];
  /** Selections of one index each from values that others read as well, in the same order. */
  readonly selections: readonly Selection[];
}

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

/**
 * Discovers the parts of a network that are computed alike and added up, whether or not they may change
 * places: experts that are chosen in groups may not, for example.
 *
 * @throws EngineError if the engine cannot run the graph
 */
export async function discoverAlikeParts(
  { graph, engine }: Architecture,
  options: ProbeOptions = {},
): Promise<AlikeParts[]> {
  const probe = await probeGraph({ graph, engine }, options);
  return findAlikeParts(indexValues(graph), probe).map(({ described }) => described);
}

/** Finds the exchanges of {@link discoverExchanges} in a graph that was probed before. */
export function findExchanges(graph: Graph, probe: Probe): Exchange[] {
  const index = indexValues(graph);
  return findAlikeParts(index, probe).flatMap(({ described, forms }) =>
    exchangeOf(index, probe, described, forms),
  );
}

/** Parts that are computed alike, with the form of each. */
interface FoundParts {
  readonly described: AlikeParts;
  readonly forms: readonly PartForm[];
}

function findAlikeParts(index: ValueIndex, probe: Probe): FoundParts[] {
  return index.graph.nodes.filter(isSum).flatMap((node) => {
    // Of nested sums only the last is examined: the others are taken apart with it.
    const [reader, ...others] = index.readers.get(at(node.outputs, 0, "output")) ?? [];
    const isInner = reader !== undefined && others.length === 0 && isSum(reader);
    return isInner ? [] : alikePartsOf(index, probe, node);
  });
}

function alikePartsOf(index: ValueIndex, probe: Probe, root: Node): FoundParts[] {
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
  return alike.flatMap((parts) => describeParts(parts, at(root.outputs, 0, "output")));
}

/** Returns a key of the operator that makes a summand: summands that are computed alike have equal keys. */
function makerKey({ makers }: ValueIndex, name: string): string {
  const maker = makers.get(name);
  return maker === undefined ? name : `${maker.domain}:${maker.op}`;
}

function describeParts(forms: readonly PartForm[], sum: string): FoundParts[] {
  const parts = forms.map((part) => part.weights);
  const all = parts.flat();
  if (all.length === 0 || new Set(all).size !== all.length) return [];
  const [shares] = at(forms, 0, "part").selections;
  const described = {
    name: commonName(all),
    parts,
    shares: shares && { value: shares.value, axis: shares.axis },
    indices: shares === undefined ? [] : selectionsAt(forms, 0).map((selection) => selection.index),
    sum,
  };
  return [{ described, forms }];
}

/** Returns the selection of each part at one place; parts of the same form have equally many selections. */
function selectionsAt(forms: readonly PartForm[], place: number): readonly Selection[] {
  return forms.map((part) => at(part.selections, place, "selection"));
}

function exchangeOf(
  index: ValueIndex,
  probe: Probe,
  described: AlikeParts,
  forms: readonly PartForm[],
): Exchange[] {
  const selectors: Selector[] = [];
  for (const k of at(forms, 0, "part").selections.keys()) {
    const ofValue = findSelectors(index, probe, selectionsAt(forms, k));
    if (ofValue === undefined) return [];
    selectors.push(...ofValue);
  }
  if (new Set(selectors.map(({ weight, axis }) => `${weight} ${axis}`)).size !== selectors.length) return [];
  return [{ ...described, selectors }];
}

/** Describes the computation of a summand from its own weights and from values that it shares with others. */
function formOf(context: FormContext, summand: string): PartForm {
  const weights: string[] = [];
  const selections: Selection[] = [];
  const numbers = new Map<string, number>();
  const describe = (name: string): string => {
    if (name === "") return "-";
    const number = numbers.get(name);
    if (number !== undefined) return `#${number}`;
    if (context.isShared(name) || !isMade(context, name)) return sharedForm(context, name);
    numbers.set(name, numbers.size);
    const weight = context.index.graph.weights.get(name);
    if (weight !== undefined) {
      weights.push(name);
      return `weight ${weight.dtype} ${weight.shape.join("x")}`;
    }
    const maker = entry(context.index.makers, name, "value");
    const selection = selectionOf(context, maker, name);
    if (selection !== undefined) {
      selections.push(selection);
      return `one of ${selection.value} along ${selection.axis}`;
    }
    const inputs = valuesRead(maker).map(describe).join(", ");
    const attributes = JSON.stringify([...maker.attributes], (_, value) =>
      typeof value === "bigint" ? String(value) : value,
    );
    return `${maker.domain}:${maker.op} ${attributes} ${maker.outputs.indexOf(name)}(${inputs})`;
  };
  return { form: describe(summand), weights, selections };
}

function isMade({ index }: FormContext, name: string): boolean {
  return index.makers.has(name) || index.graph.weights.has(name);
}

/** Describes a value that others share; a constant by its contents. */
function sharedForm({ index, probe }: FormContext, name: string): string {
  const constant = index.graph.constants.get(name) ?? probe.constants.get(name);
  if (constant === undefined) return `value ${name}`;
  const { dtype, shape, data } = constant;
  return `constant ${dtype} ${shape.join("x")} ${Array.from(data as ArrayLike<number | bigint>, String).join()}`;
}

/** Returns the first of some weights' names without the parts that differ between them. */
function commonName(names: readonly string[]): string {
  const first = at(names, 0, "name");
  let length = first.length;
  for (const name of names) {
    let same = 0;
    while (same < length && name[same] === first[same]) same++;
    length = same;
  }
  return first.slice(0, length).replace(/[._/\d]+$/, "") || first;
}
