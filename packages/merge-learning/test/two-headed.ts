import { join } from "node:path";
import { createCheckpoint, saveCheckpoint, type Tensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { GraphBuilder, gemm, tanh } from "@isthmus/graph/builder";
import type { TunedTask } from "@isthmus/merge-learning";
import { waves } from "../../../test/helpers/waves.ts";

const SHAPES: Readonly<Record<string, readonly number[]>> = {
  "a.weight": [4, 5],
  "a.bias": [4],
  "heads.0.weight": [3, 4],
  "heads.0.bias": [3],
  "heads.1.weight": [3, 4],
  "heads.1.bias": [3],
};

const engine = createOnnxRuntimeEngine();

/** How matrices are stored: whether as `[inputs, outputs]`, as in GPT-2. */
interface Stored {
  readonly inputsFirst?: boolean;
}

/** Makes weights as tools/golden/tuned-merges.py has them: the base if the seed is 0. */
export function twoHeadedWeights(seed: number, { inputsFirst = false }: Stored = {}): Map<string, Tensor> {
  return new Map(
    Object.entries(SHAPES).map(([name, shape], k): [string, Tensor] => {
      const base = waves(shape, 1 + k, 0.8);
      const store = (tensor: Tensor) => (inputsFirst && shape.length === 2 ? transpose(tensor) : tensor);
      if (seed === 0) return [name, store(base)];
      const change = waves(shape, 20 * seed + k, 0.5).data as Float32Array;
      const data = Float32Array.from(base.data as Float32Array, (value, i) => value + (change[i] ?? 0));
      return [name, store({ ...base, data })];
    }),
  );
}

function transpose({ dtype, shape: [rows = 0, columns = 0], data }: Tensor): Tensor {
  const values = Float32Array.from({ length: rows * columns }, (_, i) =>
    Number(data[(i % rows) * columns + Math.floor(i / rows)]),
  );
  return { dtype, shape: [columns, rows], data: values };
}

/** Makes the task of one head, on six examples. */
export function twoHeadedTask(task: 0 | 1, { inputsFirst = false }: Stored = {}): TunedTask {
  const builder = new GraphBuilder("two heads", 21);
  const x = builder.input("x", { dtype: "f32", shape: [6, 5] });
  const weight = (name: string) => {
    const shape = SHAPES[name] ?? [];
    return builder.weight(name, { dtype: "f32", shape: inputsFirst ? shape.toReversed() : shape });
  };
  const layer = (input: typeof x, name: string) =>
    gemm(input, weight(`${name}.weight`), { transB: !inputsFirst, bias: weight(`${name}.bias`) });
  const graph = builder.build([layer(tanh(layer(x, "a")), `heads.${task}`)], { batchName: "N" });
  return {
    architecture: { graph, engine, carried: new Map() },
    data: createDataSet(waves([6, 5], 10 + 7 * task, 1.5), Int32Array.of(0, 1, 2, 0, 1, 2)),
  };
}

/** Writes the base and both networks to a folder, and returns their paths. */
export async function saveTwoHeaded(
  folder: string,
  stored: Stored = {},
): Promise<readonly [base: string, a: string, b: string]> {
  const [base, a, b] = ["base", "a", "b"].map((name) => join(folder, `${name}.safetensors`));
  for (const [seed, path = ""] of [base, a, b].entries())
    await saveCheckpoint(createCheckpoint(twoHeadedWeights(seed, stored)), path, { overwrite: true });
  return [base ?? "", a ?? "", b ?? ""];
}
