import { type Tensor, UnsupportedError } from "@isthmus/core";
import { describe, expect, it } from "vitest";
import { groupsOf } from "./layers/image-norm.ts";
import type { Network } from "./network.ts";
import { gpt } from "./networks/gpt.ts";
import { mlp } from "./networks/mlp.ts";
import { resnet } from "./networks/resnet.ts";
import { vgg } from "./networks/vgg.ts";
import { parseNetwork } from "./short-string/parse-network.ts";

const cifar = { exampleShape: [3, 32, 32], classes: 10 };
const imagenet = { exampleShape: [3, 224, 224], classes: 1000 };

describe("Network.parameters", () => {
  // As published, or as torchvision, timm and transformers count them.
  it.each([
    ["resnet20", cifar, 272_474],
    ["resnet32", cifar, 466_906],
    ["resnet44", cifar, 661_338],
    ["resnet56", cifar, 855_770],
    ["resnet110", cifar, 1_730_714],
    ["resnet18", imagenet, 11_689_512],
    ["resnet34", imagenet, 21_797_672],
    ["resnet50", imagenet, 25_557_032],
    ["resnet101", imagenet, 44_549_160],
    ["resnet152", imagenet, 60_192_808],
    ["resnet18", cifar, 11_173_962],
    ["vgg:11:none", imagenet, 132_863_336],
    ["vgg:16:none", imagenet, 138_357_544],
    ["vgg:16", imagenet, 138_365_992],
    ["vgg:19", imagenet, 143_678_248],
    ["vgg:16", cifar, 14_728_266],
    ["vit", imagenet, 86_567_656],
    ["vit:p32", imagenet, 88_224_232],
    ["gpt", { exampleShape: [1024], classes: 50_257 }, 124_439_808],
    ["gpt:d24:w1024:h16", { exampleShape: [1024], classes: 50_257 }, 354_823_168],
    ["llama:kv4", { exampleShape: [256], classes: 32_000 }, 1_100_048_384],
    ["llama:d32:w4096:h32", { exampleShape: [256], classes: 32_000 }, 6_738_415_616],
  ])("Network.parameters of %s is the published number", (spec, shape, count) => {
    expect(parseNetwork(spec, shape).parameters).toBe(count);
  });
});

async function tensor(network: Network, name: string, seed = 0): Promise<Float32Array> {
  const { data } = (await network.initialize(seed).read(name)) as Tensor;
  if (data instanceof Float32Array) return data;
  throw new UnsupportedError(`Cannot look at "${name}" as it must be f32`, { feature: "dtype" });
}

const deviation = (numbers: Float32Array) =>
  Math.sqrt(numbers.reduce((sum, value) => sum + value * value, 0) / numbers.length);

describe("Network.initialize()", () => {
  it("Network.initialize() gives the same weights for the same seed, and others for others", async () => {
    const network = mlp({ widths: [8, 8] }, { exampleShape: [4], classes: 3 });
    for (const name of network.graph.weights.keys()) {
      expect(await tensor(network, name, 5)).toEqual(await tensor(network, name, 5));
      expect(await tensor(network, name, 5)).not.toEqual(await tensor(network, name, 6));
    }
    expect(await tensor(network, "layers.1.bias")).not.toEqual(await tensor(network, "layers.2.bias"));
    expect(network.initialize(7).metadata).toEqual({ network: "mlp:8x2", seed: "7" });
    expect(() => network.initialize(-1)).toThrow(RangeError);
  });

  it("Network.initialize() gives a weight the same numbers in every network of that shape of it", async () => {
    const shallow = resnet({ depth: 8, width: 0.25 }, cifar);
    const deep = resnet({ depth: 20, width: 0.25 }, cifar);
    const name = "layer1.0.conv1.weight";
    expect(await tensor(shallow, name, 3)).toEqual(await tensor(deep, name, 3));
  });

  // Five standard errors of a deviation of n numbers are at most 5 / sqrt(2 n) of it: 3.5 % of 10,000.
  it("Network.initialize() starts layers before rectifiers with variance 2 over the fan-in", async () => {
    const network = mlp({ widths: [100, 100], start: "he" }, { exampleShape: [200], classes: 10 });
    expect(deviation(await tensor(network, "layers.0.weight")) / Math.sqrt(2 / 200)).toBeCloseTo(1, 1);
    expect(deviation(await tensor(network, "layers.1.weight")) / Math.sqrt(2 / 100)).toBeCloseTo(1, 1);
    expect(new Set(await tensor(network, "layers.0.bias"))).toEqual(new Set([0]));
    const head = vgg({ stages: [1, 1, 2, 2, 2], width: 1 / 64 }, { exampleShape: [3, 66, 66], classes: 10 });
    expect(deviation(await tensor(head, "classifier.3.weight")) / Math.sqrt(2 / 64)).toBeCloseTo(1, 1);
  });

  it("Network.initialize() starts other linear layers as torch.nn.Linear", async () => {
    const network = mlp({ widths: [100] }, { exampleShape: [100], classes: 10 });
    const weight = await tensor(network, "layers.0.weight");
    expect(Math.max(...weight.map(Math.abs))).toBeLessThanOrEqual(0.1);
    expect(deviation(weight) / (0.1 / Math.sqrt(3))).toBeCloseTo(1, 1);
    expect(Math.max(...(await tensor(network, "layers.0.bias")).map(Math.abs))).toBeLessThanOrEqual(0.1);
  });

  it("Network.initialize() starts convolutions with variance 2 over the fan-out, norms as the identity", async () => {
    const network = vgg({ stages: [1, 1] }, cifar);
    const weight = await tensor(network, "features.4.weight");
    expect(deviation(weight) / Math.sqrt(2 / (128 * 9))).toBeCloseTo(1, 1);
    expect(new Set(await tensor(network, "features.4.bias"))).toEqual(new Set([0]));
    expect(new Set(await tensor(network, "features.5.weight"))).toEqual(new Set([1]));
    expect(new Set(await tensor(network, "features.5.running_mean"))).toEqual(new Set([0]));
    expect(new Set(await tensor(network, "features.5.running_var"))).toEqual(new Set([1]));
    expect(deviation(await tensor(network, "classifier.weight")) / 0.01).toBeCloseTo(1, 1);
  });

  it("Network.initialize() scales what adds to the stream of a GPT by its depth", async () => {
    const network = gpt({ depth: 8, width: 64, heads: 4 }, { exampleShape: [16], classes: 100 });
    expect(deviation(await tensor(network, "h.3.attn.c_attn.weight")) / 0.02).toBeCloseTo(1, 1);
    expect(deviation(await tensor(network, "h.3.attn.c_proj.weight")) / 0.005).toBeCloseTo(1, 1);
    expect(deviation(await tensor(network, "h.3.mlp.c_proj.weight")) / 0.005).toBeCloseTo(1, 1);
    expect(deviation(await tensor(network, "wte.weight")) / 0.02).toBeCloseTo(1, 1);
  });
});

describe("options", () => {
  it.each([
    [() => mlp({ widths: [] }, cifar), /widths must be whole numbers from 1/],
    [() => mlp({ widths: [1.5] }, cifar), /widths must be whole numbers from 1/],
    [() => mlp({ widths: [4], dropout: 1 }, cifar), /dropout must be a number from 0 to 0.99: it is 1/],
    [() => resnet({ depth: 21 as 20 }, cifar), /depth must be one of 8, 14, 20/],
    [() => vgg({ stages: [3] }, cifar), /stages must be whole numbers from 1 to 64, at least 2/],
    [() => vgg({ stages: [1, 1], width: 0 }, cifar), /width must be a number from/],
  ])("builders refuse options out of their range: %#", (build, message) => {
    expect(build).toThrow(RangeError);
    expect(build).toThrow(message);
  });

  it("mlp() refuses options it does not know", () => {
    const options = { widths: [4], activaton: "relu" };
    expect(() => mlp(options as { widths: number[] }, cifar)).toThrow(
      /no option "activaton": known options are/,
    );
  });

  it("dropout is there in training only, with its share", () => {
    const count = (spec: string, shape = cifar) => {
      const { graph } = parseNetwork(spec, shape);
      const nodes = graph.nodes.filter(({ op }) => op === "Dropout");
      for (const { inputs } of nodes) expect(graph.constants.get(inputs[1] ?? "")?.data[0]).toBeCloseTo(0.1);
      return nodes.length;
    };
    expect(count("mlp:8x3:drop0.1")).toBe(3);
    expect(count("mlp:8x3")).toBe(0);
    expect(count("vgg:11:w0.125:drop0.1")).toBe(1);
    expect(count("vgg:11:w0.015625:drop0.1", { exampleShape: [3, 66, 66], classes: 5 })).toBe(2);
    expect(count("vit:p8:d2:w12:h3:drop0.1")).toBe(7);
    expect(count("gpt:d2:w12:h3:drop0.1", { exampleShape: [4], classes: 5 })).toBe(7);
  });
});

describe("groupsOf()", () => {
  it.each([
    [8, 1],
    [16, 2],
    [64, 8],
    [24, 3],
    [256, 32],
    [2048, 32],
    [7, 1],
    [17, 1],
  ])("groupsOf() divides %i channels into %i groups", (channels, groups) => {
    expect(groupsOf(channels)).toBe(groups);
  });
});
