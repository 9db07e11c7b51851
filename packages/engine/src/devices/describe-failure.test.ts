import { GraphBuilder, matMul } from "@isthmus/graph/builder";
import { describe, expect, it } from "vitest";
import { describeFailure, saysMemoryIsFull } from "./describe-failure.ts";

const builder = new GraphBuilder("big", 17);
const x = builder.input("x", { dtype: "f32", shape: [1, 4000] });
const weight = builder.weight("weight", { dtype: "f32", shape: [4000, 80_000] });
const graph = builder.build([builder.rename(matMul(x, weight), "y")]);

describe("describeFailure()", () => {
  it.each([
    "WebGPU validation failed. Buffer size (1280000000) exceeds the max buffer size limit (1073741824).\n - While calling [Device].CreateBuffer([BufferDescriptor]).",
    "Binding size (1280000000) of [Buffer] is larger than the maximum storage buffer binding size (1073741824).",
  ])("names the tensor that is too large, its size and the limit: %s", (said) => {
    expect(describeFailure(graph, said)).toBe(
      '"weight" of 1280000000 bytes is larger than the 1073741824 bytes that the device takes at once; take smaller batches, or device "cpu"',
    );
  });

  it("says how large the tensor is if the graph does not tell which it is", () => {
    expect(describeFailure(graph, "Buffer size (5000) exceeds the max buffer size limit (4000).")).toContain(
      "a tensor of 5000 bytes is larger than the 4000 bytes",
    );
  });

  it("repeats what the device said of other failures", () => {
    expect(describeFailure(graph, "Device is lost\n")).toBe(
      'Device is lost; go on with device "cpu", which needs no driver',
    );
  });
});

describe("saysMemoryIsFull()", () => {
  it.each([
    ["Buffer size (1280000000) exceeds the max buffer size limit (1073741824).", true],
    ["vkAllocateMemory failed with VK_ERROR_OUT_OF_DEVICE_MEMORY", true],
    ["Failed to allocate memory for requested buffer of size 4096", true],
    ["CUDA error: out of memory", true],
    ["std::bad_alloc", true],
    ["Non-zero status code returned while running MaxPool node", false],
    ["Got invalid dimensions for input: x Got: 5 Expected: 4", false],
  ])("tells full memory from other failures: %s", (said, isFull) => {
    expect(saysMemoryIsFull(said)).toBe(isFull);
  });
});
