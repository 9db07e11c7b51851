import { sizeOf } from "@isthmus/core";
import { expect, it } from "vitest";
import { parseNetwork, parseNetworkName } from "../short-string/parse-network.ts";
import { NET } from "./net.ts";
import { estimateWeights } from "./net-size.ts";

const images = { exampleShape: [3, 32, 32], classes: 10 };
const tokens = { exampleShape: [64], classes: 64 };

it.each([
  ["mlp:2048x3", images],
  ["vgg:11", images],
  ["vgg:1-1-2:w2", images],
  ["resnet20:w4", images],
  ["resnet18", images],
  ["vit:p8:d3:w192:h8", images],
  ["vit:p8:d3:w192:h8:f64", images],
  ["gpt:d4:w256:h4:c64", tokens],
  ["llama:d4:w256:h4:kv4:c64", tokens],
])(
  "estimateWeights() knows the weights of %s within a factor of three, without building it",
  (net, shape) => {
    const { graph } = parseNetwork(net, shape);
    const weights = [...graph.weights.values()].reduce((sum, weight) => sum + sizeOf(weight.shape), 0);
    const estimated = estimateWeights(parseNetworkName(net));
    expect(weights / estimated).toBeGreaterThan(1 / 3);
    expect(weights / estimated).toBeLessThan(3);
  },
);

it.each([
  "mlp:1048576x1024",
  "mlp:100000x2",
  "vgg:64-64:w64",
  "resnet152:w64",
  "vit:w65536:h1",
  "gpt:d1024:w8192:h1",
  "gpt:c1048576:w4096:h1",
  "llama:f1048576",
])("NET refuses %s, whose weights no machine should make room for", (net) => {
  const { error } = NET.safeParse(net);
  expect(error?.issues.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^must have at most 2147483648 weights: it is ".*" with about \d/),
  ]);
});

it.each(["mlp:16384x2", "vgg:19", "resnet152", "vit", "gpt", "llama"])("NET takes %s", (net) => {
  expect(NET.safeParse(net).success).toBe(true);
});
