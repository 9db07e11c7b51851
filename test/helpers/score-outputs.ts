import type { Tensor } from "@isthmus/core";
import type { Attribute, Graph } from "@isthmus/graph";

/**
 * Adds to a graph without outputs one number that depends on some of its values, each multiplied along each
 * of its axes by a vector of weights of its own: whatever may be permuted in these values may then be
 * permuted in the graph.
 *
 * @param values - results to multiply, with what they were in some run
 */
export function scoreOutputs(graph: Graph, values: ReadonlyMap<string, Tensor>): Graph {
  const weights = new Map(graph.weights);
  const constants = new Map(graph.constants);
  const nodes = [...graph.nodes];
  const add = (
    op: string,
    inputs: readonly string[],
    output: string,
    attributes: Readonly<Record<string, Attribute>> = {},
  ) => {
    const entries = new Map(Object.entries(attributes));
    nodes.push({ name: `${output}:node`, op, domain: "", inputs, outputs: [output], attributes: entries });
    return output;
  };
  const shaped = (input: string, shape: readonly number[], output: string) => {
    constants.set(`${output}:shape`, {
      dtype: "i64",
      shape: [shape.length],
      data: BigInt64Array.from(shape, BigInt),
    });
    return add("Reshape", [input, `${output}:shape`], output);
  };
  const full = [...values].filter(([, { data }]) => data.length > 0);
  const parts = full.map(([name, { dtype, shape }]) => {
    const whole =
      dtype === "f32" ? name : add("Cast", [name], `${name}:float`, { to: { type: "int", value: 1 } });
    let value = shaped(whole, [1, ...shape], `${name}:row`);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const vector = `${name}:along${axis}`;
      weights.set(vector, { dtype: "f32", shape: [shape[axis] ?? 1, 1], role: "parameter" });
      const product = add("MatMul", [value, vector], `${name}:product${axis}`);
      value = shaped(product, [1, ...shape.slice(0, axis)], `${name}:sum${axis}`);
    }
    return value;
  });
  const data = graph.inputs.map(({ name }) => add("ReduceMean", [name], `${name}:score`));
  const score = add("Sum", [...parts, ...data], "score");
  return { ...graph, weights, constants, nodes, outputs: [{ name: score }] };
}
