import { at, entry } from "@isthmus/core";
import type { Graph, Node, Probe, WeightInfo } from "@isthmus/graph";
import { valuesRead } from "@isthmus/graph/ir";
import { deriveSpec, type Symmetries } from "../derive-spec.ts";
import type { ValueIndex } from "../value-index.ts";
import { layOutValues } from "../value-layouts.ts";
import type { Selector } from "./exchange-parts.ts";
import type { Selection } from "./selections.ts";

/**
 * Finds the indices of weights that decide the share of each part, such as the row of each expert in a
 * router.
 *
 * @param selections - the selection of each part, all from one value along one axis
 * @returns the indices; undefined if exchanging the selected shares is no permutation of weights that nothing
 *   else reads
 */
export function findSelectors(
  index: ValueIndex,
  probe: Probe,
  selections: readonly Selection[],
): readonly Selector[] | undefined {
  const { value, axis } = at(selections, 0, "selection");
  const extent = probe.types.get(value)?.shape[axis];
  const indices = selections.map((selection) => selection.index);
  if (new Set(indices).size !== extent || indices.length !== extent) return undefined;
  const symmetries = deriveSpec(...multiplied(innerGraph(index, probe, value), probe, { value, axis }));
  const units = unitsAlong(symmetries, value, axis);
  if (units === undefined) return undefined;
  const ofPart = new Map(indices.map((place, part) => [at(units, place, "place"), part]));
  return selectorsOf(symmetries, ofPart);
}

/** Name of the weight by which a value is multiplied at the end. */
const READER = "weight of what reads the shares";

/**
 * Multiplies a value by a weight along an axis at the end of a graph, as units that nothing reads count as
 * fixed.
 */
function multiplied(
  graph: Graph,
  probe: Probe,
  { value, axis }: Pick<Selection, "value" | "axis">,
): [Graph, Probe] {
  const { shape, dtype } = entry(probe.types, value, "value");
  const alongAxis = shape.map((extent, other) => (other === axis ? extent : 1));
  const weight: WeightInfo = { dtype, shape: alongAxis, role: "parameter" };
  const output = "product of the shares";
  const node = { name: output, op: "Mul", domain: "", inputs: [value, READER], outputs: [output] };
  return [
    {
      ...graph,
      nodes: [...graph.nodes, { ...node, attributes: new Map() }],
      weights: new Map([...graph.weights, [READER, weight]]),
    },
    { ...probe, types: new Map([...probe.types, [output, { dtype, shape }]]) },
  ];
}

/** Cuts the nodes that only one value needs out of a graph; values that others need as well become inputs. */
function innerGraph({ graph, readers }: ValueIndex, probe: Probe, value: string): Graph {
  const nodes = new Set<Node>();
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const isInner = (name: string): boolean =>
    name === value ||
    name === "" ||
    (!outputs.has(name) && (readers.get(name) ?? []).every((node) => nodes.has(node)));
  for (const node of graph.nodes.toReversed()) {
    const leads = node.outputs.some(
      (name) => name === value || readers.get(name)?.some((one) => nodes.has(one)),
    );
    if (leads && node.outputs.every(isInner)) nodes.add(node);
  }
  const made = new Set([...nodes].flatMap((node) => node.outputs));
  const read = new Set([...nodes].flatMap(valuesRead));
  const weights = new Map([...graph.weights].filter(([name]) => read.has(name) && isInner(name)));
  const isConstant = (name: string) => graph.constants.has(name) || probe.constants.has(name);
  const inputs = [...read]
    .filter((name) => !made.has(name) && !weights.has(name) && !isConstant(name))
    .map((name) => ({ name }));
  return { ...graph, nodes: [...nodes].reverse(), inputs, outputs: [], weights };
}

/** Returns the units along an axis of a value, if these are all units of one plain symmetry. */
function unitsAlong(symmetries: Symmetries, value: string, axis: number): Int32Array | undefined {
  const component = layOutValues(symmetries)
    .components.get(value)
    ?.find(({ axes }) => axes.includes(axis));
  const [units, ...others] = component?.units ?? [];
  if (units === undefined || component?.axes.length !== 1 || others.length > 0) return undefined;
  const { spec } = symmetries;
  const symmetry = spec.symmetries.find(
    ({ firstUnit, size, cells }) => cells.length === 1 && size === units.length && units.includes(firstUnit),
  );
  const isWhole = symmetry !== undefined && new Set(units).size === units.length;
  const parents = [
    ...spec.symmetries.flatMap(({ cells }) => cells),
    ...spec.followers.flatMap((f) => f.parents),
  ];
  return isWhole && !parents.flat().some((unit) => units.includes(unit)) ? units : undefined;
}

/** Lists the axes of weights on which units lie; undefined if they lie otherwise than once on an axis. */
function selectorsOf(
  { spec }: Symmetries,
  partOfUnit: ReadonlyMap<number, number>,
): readonly Selector[] | undefined {
  const selectors: Selector[] = [];
  for (const [weight, layout] of spec.weights) {
    if (weight === READER) continue;
    const { shape, view, fields } = layout;
    for (const { axes, units } of fields) {
      if (!units.some((unit) => partOfUnit.has(unit))) continue;
      const [axis, ...others] = axes;
      const indices = placesOf(units, partOfUnit);
      if (axis === undefined || others.length > 0 || view.length !== shape.length) return undefined;
      if (indices === undefined) return undefined;
      selectors.push({ weight, shape, axis, indices });
    }
  }
  return selectors;
}

/** Returns the place of each part's unit; undefined if a unit lies at several places. */
function placesOf(units: Int32Array, partOfUnit: ReadonlyMap<number, number>): Int32Array | undefined {
  const places = new Int32Array(partOfUnit.size).fill(-1);
  for (const [place, unit] of units.entries()) {
    const part = partOfUnit.get(unit);
    if (part === undefined) continue;
    if (places[part] !== -1) return undefined;
    places[part] = place;
  }
  return places.includes(-1) ? undefined : places;
}
