import {
  type Checkpoint,
  defineCheckpoint,
  fromFloat32Into,
  MismatchError,
  sizeOf,
  toFloat32,
} from "@isthmus/core";
import type { Graph } from "../ir/graph.ts";
import { listNames } from "../ir/list-names.ts";
import type { WeightBinding, WeightSource } from "./weight-binding.ts";

/**
 * Makes the weights a graph expects of the tensors of a checkpoint, lazily: renamed, transposed, with norms folded in.
 *
 * @throws MismatchError if some weight has no source; it lists them
 */
export function applyBinding(graph: Graph, binding: WeightBinding, checkpoint: Checkpoint): Checkpoint {
  assertBound(graph, binding, checkpoint);
  return defineCheckpoint({
    source: checkpoint.source,
    tensors: new Map([...graph.weights].map(([name, { dtype, shape }]) => [name, { dtype, shape }])),
    metadata: checkpoint.metadata,
    inputs: [checkpoint],
    async readInto(name, begin, out) {
      const source = binding.sources.get(name);
      const dtype = graph.weights.get(name)?.dtype ?? "f32";
      if (source === undefined) return;
      if (source.kind === "tensor" && checkpoint.tensors.get(source.tensor)?.dtype === dtype) {
        await checkpoint.readRangeInto(source.tensor, begin, out);
        return;
      }
      const values = await compute(checkpoint, source, graph.weights.get(name)?.shape ?? []);
      const part = values.subarray(begin, begin + out.length);
      fromFloat32Into(part, dtype, out);
    },
  });
}

function assertBound(graph: Graph, { unbound }: WeightBinding, { source }: Checkpoint): void {
  if (unbound.length === 0) return;
  const list = listNames(unbound.map(({ weight, reason }) => `"${weight}" (${reason})`));
  throw new MismatchError(
    `Cannot feed "${source}" to graph "${graph.name}" as every weight must be found in it: ${unbound.length} of ${graph.weights.size} are not, ${list}`,
    { parameters: unbound.map(({ weight }) => weight) },
  );
}

async function compute(
  checkpoint: Checkpoint,
  source: WeightSource,
  shape: readonly number[],
): Promise<Float32Array> {
  const read = async (name: string): Promise<Float32Array> => {
    const { data, dtype } = await checkpoint.read(name);
    return toFloat32(data, dtype);
  };
  if (source.kind === "tensor") return read(source.tensor);
  if (source.kind === "transposed") return transpose(await read(source.tensor), shape);
  const { norm } = source;
  const [scale, variance] = await Promise.all([read(norm.scale), read(norm.variance)]);
  const factors = scale.map((value, o) => value / Math.sqrt((variance[o] as number) + norm.epsilon));
  if (source.kind === "folded-kernel") {
    const kernel = await read(source.tensor);
    const width = sizeOf(shape) / (shape[0] ?? 1);
    return kernel.map((value, i) => value * (factors[Math.floor(i / width)] as number));
  }
  const [offset, mean] = await Promise.all([read(norm.offset), read(norm.mean)]);
  const own = source.tensor === undefined ? undefined : await read(source.tensor);
  return offset.map((value, o) => value + ((own?.[o] ?? 0) - (mean[o] as number)) * (factors[o] as number));
}

/** The transpose, of the given shape. */
function transpose(values: Float32Array, [rows = 1, columns = 1]: readonly number[]): Float32Array {
  const result = new Float32Array(values.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) result[i * columns + j] = values[j * rows + i] as number;
  }
  return result;
}
