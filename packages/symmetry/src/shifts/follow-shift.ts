import { at, entry, sizeOf } from "@isthmus/core";
import type { Graph, Node, Probe } from "@isthmus/graph";
import { returnedNames, valuesRead } from "@isthmus/graph/ir";
import { LabelStore } from "../labels/label-store.ts";
import { MOVEMENT_RULES } from "../rules/movement-rules.ts";
import { inputName } from "../rules/rule.ts";
import { indexValues, type ValueIndex } from "../value-index.ts";
import { SHIFT_RULES, type ShiftContext, type Shifts } from "./shift-rules.ts";

/** A graph with the shapes of its values. */
type ProbedGraph = Pick<ShiftGraph, "graph" | "probe">;

/** A graph in which shifts of values are followed. */
export interface ShiftGraph extends ValueIndex {
  /** Shapes and constants of the graph. */
  readonly probe: Probe;
  /** Position of each node in the order of the graph. */
  readonly placeOf: ReadonlyMap<Node, number>;
}

/** Prepares a graph for {@link followShift}. */
export function createShiftGraph(graph: Graph, probe: Probe): ShiftGraph {
  const placeOf = new Map(graph.nodes.map((node, place) => [node, place]));
  return { ...indexValues(graph), probe, placeOf };
}

/**
 * Follows a shift of a value along its last axis, by a number for each line, through all nodes that read it.
 *
 * @returns the values that are shifted; undefined if some value changes otherwise, or an output is shifted
 */
export function followShift(
  { graph, probe, readers, placeOf }: ShiftGraph,
  value: string,
): readonly string[] | undefined {
  if (reachesUnknown(readers, value)) return undefined;
  const shape = shapeOf({ graph, probe }, value);
  const extent = at(shape, shape.length - 1, "axis");
  const lines = new Int32Array(sizeOf(shape));
  for (let begin = 0; begin < lines.length; begin += extent) {
    lines.fill(begin / extent + 1, begin, begin + extent);
  }
  const shifted = new Map<string, Int32Array>([[value, lines]]);
  const waiting = new Set<number>();
  const visitReaders = (name: string) => {
    for (const node of readers.get(name) ?? []) waiting.add(entry(placeOf, node, "node"));
  };
  visitReaders(value);
  const outputs = new Set(returnedNames(graph));
  while (waiting.size > 0) {
    const place = Math.min(...waiting);
    waiting.delete(place);
    const node = at(graph.nodes, place, "node");
    const results = shiftsOf({ graph, probe }, node, shifted);
    if (results === undefined) return undefined;
    for (const [i, name] of node.outputs.entries()) {
      const shifts = results[i];
      if (shifts === undefined || name === "") continue;
      shifted.set(name, shifts);
      visitReaders(name);
    }
  }
  return [...shifted.keys()].some((name) => outputs.has(name)) ? undefined : [...shifted.keys()];
}

/** Operators that pass on every shift of their first input. */
const PASSING: ReadonlySet<string> = new Set([
  "Identity",
  "Dropout",
  "Add",
  "Gather",
  ...MOVEMENT_RULES.keys(),
]);

/**
 * Checks by names of operators alone whether a shift reaches one without a rule. Most layers are followed by
 * such a node, and no element of their values needs to be looked at then.
 */
function reachesUnknown(readers: ShiftGraph["readers"], value: string): boolean {
  const reached = new Set([value]);
  for (const name of reached) {
    const reading = readers.get(name) ?? [];
    if (reading.some(({ op, domain }) => domain !== "" || !SHIFT_RULES.has(op))) return true;
    const passing = reading.filter(
      ({ op, inputs }) => PASSING.has(op) && (op === "Add" || inputs[0] === name),
    );
    for (const output of passing.flatMap(({ outputs }) => outputs)) reached.add(output);
  }
  return false;
}

/**
 * Finds the shifts of the results of a node from the shifts of its inputs; undefined if the node does more
 * than shift.
 */
export function shiftsOf(
  context: ProbedGraph,
  node: Node,
  shifted: ReadonlyMap<string, Int32Array>,
): readonly Shifts[] | undefined {
  const rule = node.domain === "" ? SHIFT_RULES.get(node.op) : undefined;
  // Values that subgraphs read are not followed.
  const isPlain = valuesRead(node).every((name) => !shifted.has(name) || node.inputs.includes(name));
  return isPlain ? rule?.(contextOf(context, node, shifted)) : undefined;
}

function contextOf(
  { graph, probe }: ProbedGraph,
  node: Node,
  shifted: ReadonlyMap<string, Int32Array>,
): ShiftContext {
  const shaped = (name: string) =>
    name === "" ? undefined : { shape: shapeOf({ graph, probe }, name), fields: [] };
  return {
    node,
    store: new LabelStore(),
    opset: graph.opsets.get("") ?? 0,
    shifts: node.inputs.map((name) => shifted.get(name)),
    inputs: node.inputs.map(shaped),
    outputs: node.outputs.map((name) => shaped(name)?.shape),
    isActivation: () => true,
    constant: (input) => {
      const name = inputName(node, input);
      if (name === undefined || graph.weights.has(name)) return undefined;
      return graph.constants.get(name) ?? probe.constants.get(name);
    },
  };
}

function shapeOf({ graph, probe }: ProbedGraph, name: string): readonly number[] {
  const shape = probe.types.get(name)?.shape ?? graph.constants.get(name)?.shape;
  return shape ?? entry(graph.weights, name, "value").shape;
}
