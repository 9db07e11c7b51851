import { convertData, createRandom, sizeOf, type Tensor } from "@isthmus/core";
import type { Graph, Node, WeightInfo } from "../ir/graph.ts";

/** Standard deviation of random biases: biases of zero would hide an error in permuting them. */
const BIAS_DEVIATION = 0.3;

/**
 * Makes random weights that give values of moderate size.
 *
 * Matrices and kernels have mean 0 and a variance of 1 over their fan-in; scales of norms and variances are
 * in `[0.5, 1.5]`; biases and means have deviation 0.3; all are uniform. A gain above 1 would make some deep
 * networks chaotic, so that rounding alone changes their output.
 */
export function randomWeights(graph: Graph, seed: number): Map<string, Tensor> {
  const kinds = findKinds(graph);
  const weights = new Map<string, Tensor>();
  for (const [name, info] of graph.weights) {
    const random = createRandom(seed, `weight ${name}`);
    const values = new Float64Array(sizeOf(info.shape));
    const kind = kinds.get(name) ?? guessKind(info);
    for (let i = 0; i < values.length; i++) {
      values[i] = kind.center + kind.deviation * UNIT * (random.uniform() - 0.5);
    }
    const data = convertData(values, "f64", info.dtype);
    weights.set(name, { dtype: info.dtype, shape: info.shape, data });
  }
  return weights;
}

/** Width of a uniform distribution of deviation 1. */
const UNIT = Math.sqrt(12);

/** Distribution of the numbers of a weight. */
interface Kind {
  readonly center: number;
  readonly deviation: number;
}

const SCALE: Kind = { center: 1, deviation: 1 / UNIT };
const BIAS: Kind = { center: 0, deviation: BIAS_DEVIATION };

const scaled = (fanIn: number): Kind => ({ center: 0, deviation: 1 / Math.sqrt(Math.max(1, fanIn)) });

/** Finds the kind of each weight by its first use that shows one, also after transposes and casts. */
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
        const [output = ""] = node.outputs;
        aliases.set(output, { name: alias.name, transposed });
        return;
      }
      const use = { node, input: i, shape: info.shape, flipped: alias.transposed };
      const kind = KIND_RULES.get(node.op)?.(use);
      if (kind !== undefined) kinds.set(alias.name, kind);
    });
  }
  return kinds;
}

/** Operators through which a weight is followed. */
const PASSES_ON: ReadonlySet<string> = new Set(["Identity", "Cast", "Transpose", "Unsqueeze", "Reshape"]);

/** Returns the kind of a weight by its use in a node; `flipped` weights were transposed before. */
type KindRule = (use: {
  readonly node: Node;
  readonly input: number;
  readonly shape: readonly number[];
  readonly flipped: boolean;
}) => Kind | undefined;

// The inputs of batch norm: data, scale, bias, mean, variance.
const norm: KindRule = ({ input }) => (input === 1 || input === 4 ? SCALE : BIAS);
const factor: KindRule = ({ shape }) => (shape.length <= 1 ? SCALE : undefined);
const summand: KindRule = () => BIAS;

// The inputs of recurrent operators: data, weights of input and state, biases, lengths, states, peepholes.
const recurrent: KindRule = ({ input, shape }) =>
  input === 1 || input === 2 ? scaled(shape.at(-1) ?? 1) : BIAS;

/** Kinds of weights by the operator that uses them. */
const KIND_RULES: ReadonlyMap<string, KindRule> = new Map<string, KindRule>([
  ["BatchNormalization", norm],
  ["InstanceNormalization", norm],
  ["LayerNormalization", norm],
  ["RMSNormalization", norm],
  ["GroupNormalization", norm],
  ["Mul", factor],
  ["Div", factor],
  ["Add", summand],
  ["Sub", summand],
  ["RNN", recurrent],
  ["GRU", recurrent],
  ["LSTM", recurrent],
  ["Gather", ({ input }) => (input === 0 ? scaled(1) : undefined)],
  ["Conv", ({ input, shape }) => (input === 1 ? scaled(sizeOf(shape.slice(1))) : BIAS)],
  ["MatMul", ({ input, shape, flipped }) => scaled(shape.at((input === 1) !== flipped ? -2 : -1) ?? 1)],
  [
    "Gemm",
    ({ node, input, shape, flipped }) => {
      const transB = node.attributes.get("transB");
      const outputsFirst = (transB?.type === "int" && transB.value === 1) !== flipped;
      return input === 2 ? BIAS : scaled(shape.at(outputsFirst ? 1 : 0) ?? 1);
    },
  ],
]);

function guessKind({ shape }: WeightInfo): Kind {
  return shape.length < 2 ? BIAS : scaled(sizeOf(shape.slice(1)));
}
