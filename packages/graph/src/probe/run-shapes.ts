import { entry, type Tensor, type TensorInfo } from "@isthmus/core";
import type { Architecture } from "../architecture.ts";
import type { Graph, Node } from "../ir/graph.ts";
import { exposeValues } from "../ir/values.ts";
import { runOnce } from "./run-all.ts";

/** Opset from which `Slice` takes its bounds as inputs. */
const SLICE_BY_INPUTS = 10;

/** Shapes and types of all values that a run computed, and the values of some of them. */
export interface ShapesRun {
  /** Element type and concrete shape of each value, by name. */
  readonly types: ReadonlyMap<string, TensorInfo>;
  /** Tensors of the values that were requested whole, by name. */
  readonly values: ReadonlyMap<string, Tensor>;
}

/**
 * Runs a graph without optimisation and returns the shape and the element type of values. The run outputs
 * only the shape and one element of each value, so that the engine can free values after their last use.
 *
 * @param shaped - names of values whose shape and type are returned
 * @param whole - names of values that are returned as whole tensors
 * @returns undefined if the graph's operator set is too old for this
 * @throws EngineError if the engine cannot run the graph
 */
export async function runShapes(
  { graph, engine }: Architecture,
  feeds: ReadonlyMap<string, Tensor>,
  { shaped, whole }: { readonly shaped: readonly string[]; readonly whole: readonly string[] },
): Promise<ShapesRun | undefined> {
  if ((graph.opsets.get("") ?? 0) < SLICE_BY_INPUTS) return undefined;
  const described = describeValues(graph, shaped);
  const outputs = [...whole, ...shaped.flatMap((name) => [shapeOf(name), sampleOf(name)])];
  const results = await runOnce(exposeValues(described, outputs), engine, feeds);
  const types = shaped.map((name): [string, TensorInfo] => {
    const extents = entry(results, shapeOf(name), "shape").data as BigInt64Array;
    const { dtype } = entry(results, sampleOf(name), "element");
    return [name, { dtype, shape: Array.from(extents, Number) }];
  });
  const values = new Map(whole.map((name) => [name, entry(results, name, "value")]));
  for (const [name, { dtype, shape }] of values) types.push([name, { dtype, shape }]);
  return { types: new Map(types), values };
}

const shapeOf = (name: string): string => `isthmus.shape.${name}`;
const sampleOf = (name: string): string => `isthmus.sample.${name}`;
const flatOf = (name: string): string => `isthmus.flat.${name}`;

/** Adds nodes that compute the shape of each value, and its first element. */
function describeValues(graph: Graph, names: readonly string[]): Graph {
  const numbers = (value: bigint): Tensor => ({ dtype: "i64", shape: [1], data: BigInt64Array.of(value) });
  const constants = new Map([
    ...graph.constants,
    ["isthmus.all", numbers(-1n)],
    ["isthmus.zero", numbers(0n)],
    ["isthmus.one", numbers(1n)],
  ] as [string, Tensor][]);
  const make = (op: string, inputs: readonly string[], output: string): Node => ({
    name: output,
    op,
    domain: "",
    inputs,
    outputs: [output],
    attributes: new Map(),
  });
  const nodes = names.flatMap((name) => [
    make("Shape", [name], shapeOf(name)),
    make("Reshape", [name, "isthmus.all"], flatOf(name)),
    make("Slice", [flatOf(name), "isthmus.zero", "isthmus.one"], sampleOf(name)),
  ]);
  return { ...graph, constants, nodes: [...graph.nodes, ...nodes] };
}
