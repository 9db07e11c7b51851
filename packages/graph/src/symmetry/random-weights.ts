import { convertData, createRandom, sizeOf, type Tensor } from "@isthmus/core";
import type { Graph, Node, WeightInfo } from "../ir/graph.ts";

/** Standard deviation of random biases: zero ones would hide that a bias was not permuted. */
const BIAS_DEVIATION = 0.3;

/**
 * Makes random weights on which a network computes numbers of sensible size.
 *
 * Matrices and kernels are normal, scaled by their fan-in; scales of norms and variances are uniform in `[0.5, 1.5]`;
 * biases and means are normal with deviation 0.3. A gain above 1 looks harmless and makes some deep networks
 * chaotic, so that rounding alone changes their output.
 */
export function randomWeights(graph: Graph, seed: number): Map<string, Tensor> {
  const kinds = findKinds(graph);
  const weights = new Map<string, Tensor>();
  for (const [name, info] of graph.weights) {
    const random = createRandom(seed, `weight ${name}`);
    const values = new Float64Array(sizeOf(info.shape));
    const kind = kinds.get(name) ?? guessKind(info);
    for (let i = 0; i < values.length; i++) {
      values[i] = kind.positive ? 0.5 + random.uniform() : kind.deviation * random.normal();
    }
    const data = convertData(values, "f64", info.dtype);
    weights.set(name, { dtype: info.dtype, shape: info.shape, data });
  }
  return weights;
}

interface Kind {
  /** Uniform in `[0.5, 1.5]` instead of normal. */
  readonly positive: boolean;
  readonly deviation: number;
}

const SCALE: Kind = { positive: true, deviation: 0 };
const BIAS: Kind = { positive: false, deviation: BIAS_DEVIATION };

const normal = (fanIn: number): Kind => ({ positive: false, deviation: 1 / Math.sqrt(Math.max(1, fanIn)) });

/** Kinds by the first node that says one, looking behind transposes and casts. */
function findKinds(graph: Graph): Map<string, Kind> {
  const kinds = new Map<string, Kind>();
  const aliases = new Map<string, { name: string; transposed: boolean }>();
  for (const node of graph.nodes) {
    node.inputs.forEach((input, i) => {
      const alias = aliases.get(input) ?? { name: input, transposed: false };
      const info = graph.weights.get(alias.name);
      if (info === undefined || kinds.has(alias.name)) return;
      if (PASSES_ON.has(node.op) && i === 0) {
        const transposed = alias.transposed !== (node.op === "Transpose");
        aliases.set(node.outputs[0] ?? "", { name: alias.name, transposed });
        return;
      }
      const kind = kindFor(node, i, info, alias.transposed);
      if (kind !== undefined) kinds.set(alias.name, kind);
    });
  }
  return kinds;
}

const PASSES_ON: ReadonlySet<string> = new Set(["Identity", "Cast", "Transpose", "Unsqueeze", "Reshape"]);
const NORMS: ReadonlySet<string> = new Set([
  "BatchNormalization",
  "InstanceNormalization",
  "LayerNormalization",
  "RMSNormalization",
  "GroupNormalization",
]);

function kindFor(node: Node, input: number, { shape }: WeightInfo, transposed: boolean): Kind | undefined {
  // The inputs of batch norm: data, scale, bias, mean, variance.
  if (NORMS.has(node.op)) return input === 1 || input === 4 ? SCALE : BIAS;
  if (node.op === "Mul" || node.op === "Div") return shape.length <= 1 ? SCALE : undefined;
  if (node.op === "Add" || node.op === "Sub") return BIAS;
  if (node.op === "Gather" && input === 0) return normal(1);
  if (node.op === "Conv") return input === 1 ? normal(sizeOf(shape.slice(1))) : BIAS;
  if (node.op === "Gemm") {
    const transB = node.attributes.get("transB");
    const outputsFirst = (transB?.type === "int" && transB.value === 1) !== transposed;
    return input === 2 ? BIAS : normal(shape[outputsFirst ? 1 : 0] ?? 1);
  }
  if (node.op === "MatMul") return normal(shape.at((input === 1) !== transposed ? -2 : -1) ?? 1);
  return undefined;
}

function guessKind({ shape }: WeightInfo): Kind {
  return shape.length < 2 ? BIAS : normal(sizeOf(shape.slice(1)));
}
