import { gradient } from "@isthmus/autodiff";
import { createRandom, sizeOf, type Tensor } from "@isthmus/core";
import type { Engine } from "@isthmus/graph";
import {
  conv,
  GraphBuilder,
  gemm,
  maxPool,
  mul,
  reduceMean,
  relu,
  reshape,
  sub,
} from "@isthmus/graph/builder";

/** Computes the loss and the gradients of a small network with a convolution, from the same numbers on every engine. */
export async function computeStep(engine: Engine): Promise<Record<string, number[]>> {
  const builder = new GraphBuilder("step", 17);
  const x = builder.input("x", { dtype: "f32", shape: [2, 1, 6, 6] });
  const target = builder.input("target", { dtype: "f32", shape: [2, 4] });
  const kernel = builder.weight("kernel", { dtype: "f32", shape: [3, 1, 3, 3] });
  const table = builder.weight("table", { dtype: "f32", shape: [12, 4] });
  const features = reshape(maxPool(relu(conv(x, kernel)), [2, 2]), [2, 12]);
  const error = sub(gemm(features, table), target);
  const graph = builder.build([builder.rename(reduceMean(mul(error, error)), "loss")]);
  const random = createRandom(4);
  const feeds = new Map(
    [...graph.inputs.map(({ name }) => name), ...graph.weights.keys()].map((name): [string, Tensor] => {
      const shape = graph.types?.get(name)?.shape ?? [];
      return [
        name,
        { dtype: "f32", shape, data: Float32Array.from({ length: sizeOf(shape) }, () => random.normal()) },
      ];
    }),
  );
  const session = await engine.load(gradient(graph, { loss: "loss", withRespectTo: ["kernel", "table"] }));
  const outputs = await session.run(feeds);
  await session.release();
  return Object.fromEntries([...outputs].map(([name, { data }]) => [name, Array.from(data, Number)]));
}
