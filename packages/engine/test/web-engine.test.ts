import { gradient } from "@isthmus/autodiff";
import { createWebEngine } from "@isthmus/engine/web";
import { describe, expect, it } from "vitest";
import { expectEqual, NETWORKS, objectiveOf, onnxruntime, runOn, shake } from "./trained-networks.ts";

describe("createWebEngine()", async () => {
  const engine = await createWebEngine();

  it("is named after the device", () => expect(engine.name).toBe("onnxruntime-wasm"));

  it.each(NETWORKS.map((network) => [network[0], network] as const))(
    "gives the loss and the gradients of %s that the native engine gives",
    async (_, network) => {
      const { graph, loss, feeds } = await objectiveOf(network);
      const withRespectTo = [...graph.weights].flatMap(([name, { role }]) =>
        role === "parameter" ? [name] : [],
      );
      const differentiated = gradient(graph, { loss, withRespectTo });
      const shaken = shake(feeds);
      const [wanted, got] = [
        await runOn(onnxruntime, differentiated, shaken),
        await runOn(engine, differentiated, shaken),
      ];
      expectEqual(got, wanted);
      const lossOf = (outputs: typeof got) => Number(outputs.get(loss)?.data[0]);
      expect(Math.abs(lossOf(got) - lossOf(wanted))).toBeLessThan(1e-5);
    },
  );

  it("is one for a process: other files or threads are refused, the same are not", async () => {
    await expect(createWebEngine({ device: "wasm", threads: 1 })).resolves.toMatchObject({
      name: engine.name,
    });
    await expect(createWebEngine({ threads: 2 })).rejects.toMatchObject({ name: "UsageError" });
    await expect(createWebEngine({ files: "file:///elsewhere" })).rejects.toThrow(
      '"files":"file:///elsewhere/"',
    );
  });

  it("refuses devices and threads there are not, and WebGPU in Node", async () => {
    await expect(createWebEngine({ device: "webgl" as "wasm" })).rejects.toThrow(RangeError);
    await expect(createWebEngine({ threads: 1.5 })).rejects.toThrow(RangeError);
    await expect(createWebEngine({ device: "webgpu" })).rejects.toMatchObject({
      _tag: "UnsupportedError",
      feature: "webgpu",
    });
  });
});
