import { at, type Checkpoint, createRandom, createTensor, entry, type Tensor } from "@isthmus/core";
import type { Graph, Node, WeightInfo } from "@isthmus/graph";

/** Names of the two factors of a weight, as PEFT writes them. */
export const factorsOf = (weight: string): { readonly a: string; readonly b: string } => ({
  a: weight.replace(/weight$/, "lora_A.weight"),
  b: weight.replace(/weight$/, "lora_B.weight"),
});

/** Returns the names of the weights of a GPT that adapters change: those of its linear layers. */
export const adaptedWeights = ({ weights }: Graph): readonly string[] =>
  [...weights.keys()].filter((name) => /\.(c_attn|c_proj|c_fc)\.weight$/.test(name));

/**
 * Adds LoRA to the linear layers of a GPT, whose weights are `[in, out]`: each becomes `W + (B A)'`, with
 * weights `A`, `[rank, in]`, and `B`, `[out, rank]`, of scale 1.
 */
export function adaptGraph(graph: Graph, rank: number): Graph {
  const weights = new Map<string, WeightInfo>(graph.weights);
  const added: Node[] = [];
  const replaced = new Map<string, string>();
  const node = (op: string, inputs: readonly string[], output: string): Node => ({
    ...{ name: output, op, domain: "", inputs, outputs: [output], attributes: new Map() },
  });
  for (const name of adaptedWeights(graph)) {
    const info = entry(graph.weights, name, "weight");
    const [rows, columns] = [at(info.shape, 0), at(info.shape, 1)];
    const { a, b } = factorsOf(name);
    weights.set(a, { ...info, shape: [rank, rows] });
    weights.set(b, { ...info, shape: [columns, rank] });
    added.push(
      node("MatMul", [b, a], `${name}/product`),
      node("Transpose", [`${name}/product`], `${name}/change`),
      node("Add", [name, `${name}/change`], `${name}/adapted`),
    );
    replaced.set(name, `${name}/adapted`);
  }
  const nodes = graph.nodes.map((of) => ({
    ...of,
    inputs: of.inputs.map((input) => replaced.get(input) ?? input),
  }));
  return { ...graph, weights, nodes: [...added, ...nodes] };
}

/** Draws adapters as PEFT does: `A` uniform within `1 / sqrt(in)`, and `B` zeros. */
export function drawAdapter({ weights }: Graph, seed: number): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const [name, { shape }] of weights) {
    if (!/\.lora_[AB]\.weight$/.test(name)) continue;
    const random = createRandom(seed, name);
    const [rows, columns] = [at(shape, 0), at(shape, 1)];
    const bound = name.endsWith("lora_A.weight") ? 1 / Math.sqrt(columns) : 0;
    const data = Float32Array.from({ length: rows * columns }, () => bound * (2 * random.uniform() - 1));
    tensors.set(name, createTensor("f32", shape, data));
  }
  return tensors;
}

/** Reads the factors of a network, by their names. */
export async function readAdapter(network: Checkpoint): Promise<Map<string, Tensor>> {
  const tensors = new Map<string, Tensor>();
  for (const name of network.tensors.keys()) {
    if (/\.lora_[AB]\.weight$/.test(name)) tensors.set(name, await network.read(name));
  }
  return tensors;
}
