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

it("sessions of a device take from each other what one of them leaves there, until it is released", async () => {
  const native = createNativeRuntime(onnxruntime);
  const opened: (readonly string[] | undefined)[] = [];
  const device = createRuntimeEngine({
    ...native,
    engine: "onnxruntime-webgpu",
    device: "webgpu",
    keepsOutputs: true,
    fillsOutputs: false,
    open(model, options) {
      opened.push(options.onDevice);
      return native.open(model, options);
    },
  });
  const first = await device.load(graph, { staying: new Set(["y"]) });
  const [fed, held] = [await device.load(graph), await device.load(graph)];
  expect(opened).toEqual([["y"], [], []]);
  await expect(first.run(feeds)).rejects.toThrow(
    'Cannot run graph "small" as output "y" stays on the device: give a tensor for it',
  );
  const standing: Tensor = { dtype: "f32", shape: [2], data: Float32Array.of(7, 7) };
  const taken = new Map([["x", standing]]);
  const valuesOf = async (results: Promise<Map<string, Tensor>>) => [
    ...((await results).get("y")?.data ?? []),
  ];
  await first.run(feeds, new Map([["y", standing]]));
  await held.memory?.hold(taken);
  for (const value of [1, 3]) {
    const x: Tensor = { dtype: "f32", shape: [2], data: Float32Array.of(-1, value) };
    await first.run(new Map([["x", x]]), new Map([["y", standing]]));
    expect([...standing.data]).toEqual([7, 7]);
    expect(await valuesOf(fed.run(taken))).toEqual([0, value]);
    expect(await valuesOf(held.run(new Map()))).toEqual([0, value]);
  }
  await first.release();
  expect(await valuesOf(fed.run(taken))).toEqual([7, 7]);
  await expect(held.run(new Map())).rejects.toThrow('it needs a tensor for input "x"');
  await Promise.all([fed.release(), held.release()]);
});
