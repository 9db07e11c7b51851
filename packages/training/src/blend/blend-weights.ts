import type { TensorInfo } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { cast, GraphBuilder, mul, sum, type Value } from "@isthmus/graph/builder";
import { typesOf } from "@isthmus/graph/ir";
import { unusedName } from "../unused-name.ts";
import { assertPoints, type BlendedPoint, type BlendPoint } from "./blend-point.ts";

/** Options of {@link blendWeights}. */
export interface BlendOptions {
  /** Points whose weighted sum the weights are, at least one of them trained. */
  readonly points: readonly BlendPoint[];
  /** Names of the weights to blend, all of them floating-point. All points share the other weights. */
  readonly weights: readonly string[];
}

/** A graph that computes its weights as a blend, and the names by which the points enter it. */
export interface BlendedGraph {
  /** Typed, with the outputs of the graph it was made from. */
  readonly graph: Graph;
  /** The points, in the order of the options. */
  readonly points: readonly BlendedPoint[];
}

/**
 * Replaces weights of a graph by weighted sums over several networks, `w = Σ c_k w_k`, computed inside the
 * graph. By the rules of products and sums, the gradient by `w_k` is then `c_k` times the gradient by `w`.
 *
 * Each `c_k` is a data input. The `w_k` of a trained point are weights; the `w_k` of a given point are data
 * inputs, so that a loop can feed other tensors at every step without copying any. The sum is exactly `w_k`
 * where `c_k` is 1 and the other coefficients are 0, as long as all tensors are finite.
 *
 * @param graph - typed, as `specialize` makes it
 * @throws OutOfRangeError if no point is trained, two have the same name, or a weight is unknown
 * @throws MismatchError if the graph is not typed
 */
export function blendWeights(graph: Graph, { points, weights }: BlendOptions): BlendedGraph {
  assertPoints(points);
  const unblended = new Map([...graph.weights].filter(([name]) => !weights.includes(name)));
  const builder = GraphBuilder.rewriting({ ...graph, weights: unblended });
  const types = new Map(typesOf(graph));
  const declareName = (suggestion: string, type: TensorInfo): string => {
    const name = unusedName({ ...graph, types }, suggestion);
    types.set(name, type);
    return name;
  };
  const scalar: TensorInfo = { dtype: "f32", shape: [] };
  const entering = points.map((point) => ({
    point,
    coefficient: builder.input(declareName(`coefficient@${point.name}`, scalar), scalar),
    entries: new Map<string, string>(),
  }));
  for (const name of weights) {
    const { dtype, shape } = builder.value(name);
    const parts = entering.map(({ point, coefficient, entries }) => {
      const enters = declareName(`${name}@${point.name}`, { dtype, shape });
      entries.set(name, enters);
      const value = point.trained
        ? builder.weight(enters, { dtype, shape })
        : builder.input(enters, { dtype, shape });
      return mul(value, cast(coefficient, dtype));
    });
    nameWeight(builder, sum(parts), name);
  }
  for (const node of graph.nodes) builder.adopt(node);
  return {
    graph: builder.build(graph.outputs.map(({ name }) => builder.value(name))),
    points: entering.map(({ point, coefficient, entries }) => {
      return { ...point, coefficient: coefficient.name, weights: entries };
    }),
  };
}

/** Gives a value the name of the weight it replaces, so that the nodes that used the weight use the value. */
function nameWeight(builder: GraphBuilder, { name: from }: Value, name: string): void {
  builder.adopt({
    name: `blend(${name})`,
    op: "Identity",
    domain: "",
    inputs: [from],
    outputs: [name],
    attributes: new Map(),
  });
}
