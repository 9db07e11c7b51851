import type { TensorInfo } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { cast, GraphBuilder, mul, sum, type Value } from "@isthmus/graph/builder";
import { typesOf } from "@isthmus/graph/ir";
import { unusedName } from "../unused-name.ts";
import { assertPoints, type BlendedPoint, type BlendPoint } from "./blend-point.ts";

/** What {@link blendWeights} blends. */
export interface BlendOptions {
  readonly points: readonly BlendPoint[];
  /** Names of the weights that are blended, all of them floating-point; the others are the same for all points. */
  readonly weights: readonly string[];
}

/** A graph whose weights are a blend. */
export interface BlendedGraph {
  /** Typed, with the outputs of the graph it was made from. */
  readonly graph: Graph;
  /** In the order they were given. */
  readonly points: readonly BlendedPoint[];
}

/**
 * Makes weights of a graph weighted sums of those of several networks, `w = Σ c_k w_k`, inside the graph: the gradient by `w_k` is
 * then `c_k` times that by `w`, by the rules of products and sums.
 *
 * Each `c_k` is a data input. The `w_k` of trained points are weights, those of given points data inputs, so that a loop can feed
 * other tensors at every step without copying any. The sum is exactly `w_k` where `c_k` is 1 and the other coefficients are 0,
 * as long as all tensors are finite.
 *
 * @param graph - typed, as `specialize` makes it
 * @throws RangeError if no point is trained, two have the same name, or a weight is unknown
 * @throws MismatchError if the graph is not typed
 */
export function blendWeights(graph: Graph, { points, weights }: BlendOptions): BlendedGraph {
  assertPoints(points);
  const unblended = new Map([...graph.weights].filter(([name]) => !weights.includes(name)));
  const builder = GraphBuilder.rewriting({ ...graph, weights: unblended });
  const types = new Map(typesOf(graph));
  const fresh = (wanted: string, type: TensorInfo): string => {
    const name = unusedName({ ...graph, types }, wanted);
    types.set(name, type);
    return name;
  };
  const scalar: TensorInfo = { dtype: "f32", shape: [] };
  const coefficients = points.map(({ name }) => builder.input(fresh(`coefficient@${name}`, scalar), scalar));
  const entries = points.map((): Map<string, string> => new Map());
  for (const name of weights) {
    const { dtype, shape } = builder.value(name);
    const parts = points.map((point, k) => {
      const enters = fresh(`${name}@${point.name}`, { dtype, shape });
      entries[k]?.set(name, enters);
      const value = point.trained
        ? builder.weight(enters, { dtype, shape })
        : builder.input(enters, { dtype, shape });
      return mul(value, cast(coefficients[k] as Value, dtype));
    });
    adoptAs(builder, sum(parts), name);
  }
  for (const node of graph.nodes) builder.adopt(node);
  return {
    graph: builder.build(graph.outputs.map(({ name }) => builder.value(name))),
    points: points.map((point, k) => ({
      ...point,
      coefficient: coefficients[k]?.name ?? "",
      weights: entries[k] ?? new Map(),
    })),
  };
}

/** Lets a value stand where a weight of that name was. */
function adoptAs(builder: GraphBuilder, { name: from }: Value, name: string): void {
  builder.adopt({
    name: `blend(${name})`,
    op: "Identity",
    domain: "",
    inputs: [from],
    outputs: [name],
    attributes: new Map(),
  });
}
