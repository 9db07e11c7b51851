import { EngineError, type Tensor } from "@isthmus/core";
import { GraphBuilder, relu } from "@isthmus/graph/builder";
import * as onnxruntime from "onnxruntime-node";
import { expect, it } from "vitest";
import { createNativeRuntime } from "./create-native-runtime.ts";
import { createRuntimeEngine } from "./create-runtime-engine.ts";

const builder = new GraphBuilder("small", 17);
const input = builder.input("x", { dtype: "f32", shape: [2] });
const graph = builder.build([builder.rename(relu(input), "y")]);
const feeds = new Map<string, Tensor>([["x", { dtype: "f32", shape: [2], data: Float32Array.of(-1, 1) }]]);

it("a run that a device fails says which device, why, and how to go on", async () => {
  const native = createNativeRuntime(onnxruntime);
  const lost = createRuntimeEngine({
    ...native,
    engine: "onnxruntime-webgpu",
    device: "webgpu",
    async open(model, options) {
      const session = await native.open(model, options);
      return {
        inputNames: session.inputNames,
        run: async () => {
          throw new Error("Device is lost");
        },
        release: () => session.release(),
      };
    },
  });
  const session = await lost.load(graph);
  const failure = session.run(feeds);
  await expect(failure).rejects.toThrow(EngineError);
  await expect(failure).rejects.toThrow(
    'Cannot run graph "small" on onnxruntime-webgpu: Device is lost; go on with device "cpu", which needs no driver',
  );
  await session.release();
});
