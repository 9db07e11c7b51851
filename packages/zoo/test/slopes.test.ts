import { readFileSync } from "node:fs";
import { gradient } from "@isthmus/autodiff";
import { sizeOf, type Tensor, type TensorInfo } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { specialize } from "@isthmus/graph";
import { GraphBuilder, logSoftmax, mul, neg, reduceSum } from "@isthmus/graph/builder";
import { gradientName } from "@isthmus/graph/ir";
import { networkOfConfig } from "@isthmus/zoo";
import { expect, test } from "vitest";
import { waves } from "../../../test/helpers/waves.ts";

type Shapes = Readonly<Record<string, readonly number[]>>;

interface Golden {
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: Shapes;
  readonly idle: Shapes;
  /** Derivative of the loss along waves in all weights, as PyTorch computes it. */
  readonly slope?: number;
}

const golden: Readonly<Record<string, Golden>> = JSON.parse(
  readFileSync(new URL("golden/families.json.golden", import.meta.url), "utf8"),
);
const engine = createOnnxRuntimeEngine();
const [EXAMPLES, LENGTH] = [2, 8];

/** Weights by the order of their names, as tools/golden/model-families.py makes them. */
function weightsOf(tensors: Shapes): Map<string, Tensor> {
  const names = Object.keys(tensors).sort();
  return new Map(
    names.map((name, index): [string, Tensor] => {
      const shape = tensors[name] ?? [];
      if (shape.length > 1) return [name, waves(shape, index + 1, Math.sqrt(2 / sizeOf(shape.slice(1))))];
      return [name, waves(shape, index + 1, 0.3, /(weight|gamma)$/.test(name) ? 1 : 0)];
    }),
  );
}

const compared = Object.entries(golden).filter(([, { slope }]) => slope !== undefined);

test.each(compared)("gradient() of %s has the slope that PyTorch computes", async (_, entry) => {
  const infos = Object.entries({ ...entry.tensors, ...entry.idle });
  const tensors = new Map(
    infos.map(([name, shape]): [string, TensorInfo] => [name, { dtype: "f32", shape }]),
  );
  const { graph: free, vocabularySize = 0 } = networkOfConfig(entry.config, { tensors });
  const ids = Array.from({ length: EXAMPLES * LENGTH }, (_, i) => (7 * i + 3) % vocabularySize);
  const shares = new Float32Array(ids.length * vocabularySize);
  for (const [row, id] of ids.entries()) shares[row * vocabularySize + id] = 1 / ids.length;

  const builder = GraphBuilder.from(await specialize({ graph: free, engine }, { batch: EXAMPLES }));
  const logits = builder.value("logits");
  const wanted = builder.numbers(shares, "f32", [EXAMPLES, LENGTH, vocabularySize]);
  const loss = neg(reduceSum(mul(logSoftmax(logits), wanted)));
  const session = await engine.load(gradient(builder.build([loss]), { loss: loss.name }));
  const feed = { dtype: "i64", shape: [EXAMPLES, LENGTH], data: BigInt64Array.from(ids, BigInt) } as const;
  const gradients = await session.run(new Map<string, Tensor>([["ids", feed], ...weightsOf(entry.tensors)]));
  await session.release();

  let [slope, length, size] = [0, 0, 0];
  const names = Object.keys(entry.tensors).sort();
  for (const [index, name] of names.filter((one) => !one.endsWith("correction_bias")).entries()) {
    const derivative = gradients.get(gradientName(loss.name, name))?.data ?? [];
    const direction = waves(entry.tensors[name] ?? [], index, 1).data;
    for (const [i, number] of direction.entries()) {
      slope += Number(number) * Number(derivative[i]);
      length += Number(derivative[i]) ** 2;
      size += Number(number) ** 2;
    }
  }
  // Rounding in f32 moves the sum by less of the largest that it could be; a missing term by a thousand times more.
  expect(Math.abs(slope - (entry.slope ?? Number.NaN)) / Math.sqrt(length * size)).toBeLessThan(1e-5);
});
