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

/** Makes weights as tools/golden/tuned-merges.py has them: the base if the seed is 0. */
export function twoHeadedWeights(seed: number): Map<string, Tensor> {
  return new Map(
    Object.entries(SHAPES).map(([name, shape], k): [string, Tensor] => {
      const base = waves(shape, 1 + k, 0.8);
      if (seed === 0) return [name, base];
      const change = waves(shape, 20 * seed + k, 0.5).data as Float32Array;
      const data = Float32Array.from(base.data as Float32Array, (value, i) => value + (change[i] ?? 0));
      return [name, { ...base, data }];
    }),
  );
}

/** Makes the task of one head, on six examples. */
export function twoHeadedTask(task: 0 | 1): TunedTask {
  const builder = new GraphBuilder("two heads", 21);
  const x = builder.input("x", { dtype: "f32", shape: ["N", 5] });
  const weight = (name: string) => builder.weight(name, { dtype: "f32", shape: SHAPES[name] ?? [] });
  const layer = (input: typeof x, name: string) =>
    gemm(input, weight(`${name}.weight`), { transB: true, bias: weight(`${name}.bias`) });
  const graph = builder.build([layer(tanh(layer(x, "a")), `heads.${task}`)]);
  return {
    architecture: { graph, engine, carried: new Map() },
    data: createDataSet(waves([6, 5], 10 + 7 * task, 1.5), Int32Array.of(0, 1, 2, 0, 1, 2)),
  };
}

/** Writes the base and both networks to a folder, and returns their paths. */
export async function saveTwoHeaded(folder: string): Promise<readonly [base: string, a: string, b: string]> {
  const [base, a, b] = ["base", "a", "b"].map((name) => join(folder, `${name}.safetensors`));
  for (const [seed, path = ""] of [base, a, b].entries())
    await saveCheckpoint(createCheckpoint(twoHeadedWeights(seed)), path, { overwrite: true });
  return [base ?? "", a ?? "", b ?? ""];
}
