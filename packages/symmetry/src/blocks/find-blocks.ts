import { sameShape, type Tensor, type TensorInfo, viewBytes } from "@isthmus/core";
import type { Graph, Probe } from "@isthmus/graph";
import { capturedNames, returnedNames } from "@isthmus/graph/ir";

/** Consecutive nodes `[begin, end)`, of which the nodes behind read one value only. */
export interface Block {
  /** Place of the first node. */
  readonly begin: number;
  /** Place behind the last node. */
  readonly end: number;
  /** Operators, settings and shapes of the nodes, written out: blocks that are alike have the same. */
  readonly kinds: string;
}

/** A graph, and what is looked up in it by the names of its values. */
export interface IndexedNodes {
  /** Graph that is indexed. */
  readonly graph: Graph;
  /** Element types and shapes of all values, and values that depend on neither input nor weight. */
  readonly probe: Pick<Probe, "types" | "constants">;
  /** Place of the node that computes each value. */
  readonly makerOf: ReadonlyMap<string, number>;
  /** Place of the last node that reads each value; infinite for outputs of the graph. */
  readonly lastReader: ReadonlyMap<string, number>;
}

/** Indexes the nodes of a graph. */
export function indexNodes(graph: Graph, probe: IndexedNodes["probe"]): IndexedNodes {
  const makerOf = new Map<string, number>();
  const lastReader = new Map<string, number>();
  graph.nodes.forEach((node, place) => {
    for (const name of node.outputs) makerOf.set(name, place);
    for (const name of [...node.inputs, ...capturedNames(node)]) lastReader.set(name, place);
  });
  for (const name of [...returnedNames(graph), ...(graph.uncounted ?? [])]) {
    lastReader.set(name, Number.POSITIVE_INFINITY);
  }
  return { graph, probe, makerOf, lastReader };
}

/**
 * Cuts a graph into blocks wherever a single value that depends on the input or a weight is handed on, as in
 * a residual stream. Blocks without weights are left out of the list.
 */
export function findBlocks(nodes: IndexedNodes): Block[] {
  const { graph, probe, lastReader } = nodes;
  const kinds = numberKinds(graph, probe.types);
  const blocks: Block[] = [];
  const live = new Set<string>();
  let begin = 0;
  graph.nodes.forEach(({ outputs }, place) => {
    for (const name of outputs) if (!probe.constants.has(name)) live.add(name);
    for (const name of live) if ((lastReader.get(name) ?? -1) <= place) live.delete(name);
    if (live.size !== 1) return;
    const end = place + 1;
    const readsWeight = graph.nodes
      .slice(begin, end)
      .some(({ inputs }) => inputs.some((name) => graph.weights.has(name)));
    if (readsWeight) blocks.push({ begin, end, kinds: kinds.subarray(begin, end).join() });
    begin = end;
  });
  return blocks;
}

/**
 * Numbers nodes by what they do: equal numbers for equal operators, settings and shapes. Branches and loops
 * are like nothing else.
 */
function numberKinds({ nodes }: Graph, types: Probe["types"]): Int32Array {
  const numbers = new Map<string, number>();
  const tensors = new Map<string, Tensor[]>();
  const numberOf = (tensor: Tensor): number => {
    const key = `${tensor.dtype} ${tensor.shape.join()}`;
    const alike = tensors.get(key) ?? [];
    tensors.set(key, alike);
    const earlier = alike.findIndex((other) => sameTensor(tensor, other));
    return earlier >= 0 ? earlier : alike.push(tensor) - 1;
  };
  return Int32Array.from(nodes, ({ op, domain, inputs, outputs, attributes }, place) => {
    const settings = [...attributes].sort(([a], [b]) => (a < b ? -1 : 1));
    const written: unknown[] = [];
    for (const [name, { type, value }] of settings) {
      if (type === "graph") return -1 - place;
      written.push(
        type === "tensor" ? [name, value.dtype, value.shape, numberOf(value)] : [name, type, value],
      );
    }
    const shapes = outputs.map((name) => {
      const info = types.get(name);
      return info === undefined ? name === "" : [info.dtype, info.shape];
    });
    const key = JSON.stringify([op, domain, inputs.map((name) => name === ""), shapes, written]);
    const number = numbers.get(key) ?? numbers.size;
    numbers.set(key, number);
    return number;
  });
}

/** Checks whether two tensors hold the same numbers. */
export function sameTensor(a: Tensor, b: Tensor): boolean {
  if (!sameInfo(a, b)) return false;
  if (a.data === b.data) return true;
  const [one, two] = [viewBytes(a.data), viewBytes(b.data)];
  return one.length === two.length && one.every((byte, i) => byte === two[i]);
}

/** Checks whether two tensors are of one element type and shape. */
export function sameInfo(a: TensorInfo, b: TensorInfo): boolean {
  return a.dtype === b.dtype && sameShape(a.shape, b.shape);
}
