import { asFloat32, type Checkpoint } from "@isthmus/core";
import type { Graph, Node } from "@isthmus/graph";

/** Batch norm's default epsilon in ONNX. */
const DEFAULT_EPSILON = 1e-5;

/** A weight whose output channels a batch norm scales. */
interface ScaledWeight {
  readonly weight: string;
  readonly norm: { readonly scale: string; readonly variance: string; readonly epsilon: number };
}

/**
 * Returns the parameters of a network as matching should see them: weights that feed a batch norm as the norm
 * scales them, `W[o] * scale[o] / sqrt(variance[o] + epsilon)`, and the scale itself gone into them (0); other parameters are left out.
 *
 * A weight before a norm has no size of its own, so inner products of raw weights favour layers that happen
 * to be large. On two convolutional networks with five batch norms, matching scaled weights lowered the loss
 * half-way, recalibrated, from 0.252-0.281 to 0.246-0.264 over five seeds; adding the mean to the shift as
 * well made it worse (0.30-0.38), since means are large and much alike in all networks.
 *
 * Only convolutions and linear layers whose output nothing but the norm uses are scaled.
 */
export async function scaleByNorms(graph: Graph, checkpoint: Checkpoint): Promise<Map<string, Float32Array>> {
  const scaled = new Map<string, Float32Array>();
  for (const { weight, norm } of findScaledWeights(graph)) {
    const [tensor, scale, variance] = await Promise.all(
      [weight, norm.scale, norm.variance].map(async (name) => {
        const { data, dtype } = await checkpoint.read(name);
        return asFloat32(data, dtype);
      }),
    );
    if (tensor === undefined || scale === undefined || variance === undefined) continue;
    const perChannel = tensor.length / scale.length;
    const product = tensor.map((value, index) => {
      const channel = Math.floor(index / perChannel);
      return (value * (scale[channel] ?? 0)) / Math.sqrt((variance[channel] ?? 0) + norm.epsilon);
    });
    scaled.set(weight, product);
    scaled.set(norm.scale, new Float32Array(scale.length));
  }
  return scaled;
}

function findScaledWeights(graph: Graph): ScaledWeight[] {
  const producer = new Map<string, Node>();
  const uses = new Map<string, number>();
  for (const node of graph.nodes) {
    for (const name of node.outputs) producer.set(name, node);
    for (const name of node.inputs) uses.set(name, (uses.get(name) ?? 0) + 1);
  }
  return graph.nodes.flatMap((node): ScaledWeight[] => {
    if (node.op !== "BatchNormalization") return [];
    const [input = "", scale = "", , , variance = ""] = node.inputs;
    const layer = producer.get(input);
    const weight = layer === undefined ? undefined : outputMajorWeight(layer);
    const own = [weight ?? "", scale, variance];
    if (weight === undefined || !own.every((name) => graph.weights.has(name) && uses.get(name) === 1))
      return [];
    if (uses.get(input) !== 1) return [];
    const epsilon = node.attributes.get("epsilon");
    const value = epsilon?.type === "float" ? epsilon.value : DEFAULT_EPSILON;
    return [{ weight, norm: { scale, variance, epsilon: value } }];
  });
}

/** The weight of a layer, if its first axis is the layer's output channels. */
function outputMajorWeight({ op, inputs, attributes }: Node): string | undefined {
  const transposed = attributes.get("transB");
  const linear = op === "Gemm" && transposed?.type === "int" && transposed.value === 1;
  return op === "Conv" || linear ? inputs[1] : undefined;
}
