import { createCheckpoint, createTensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type Graph, randomWeights } from "@isthmus/graph";
import { discoverExchanges, exchangeParts, verifyExchanges } from "@isthmus/symmetry";
import { networkOfConfig } from "@isthmus/zoo";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { distance } from "../../../test/helpers/distance.ts";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { randomOrders } from "../src/exchange/verify-exchanges.ts";

const engine = createOnnxRuntimeEngine();
const EXPERTS = 3;

interface MixtureTraits {
  /** What becomes of the router's logits. */
  readonly shares?: (b: GraphBuilder, logits: string) => string;
  /** What becomes of the output of one expert. */
  readonly change?: (b: GraphBuilder, output: string, expert: number) => string;
  /** What is added to the mixture, if anything is. */
  readonly more?: (b: GraphBuilder, sum: string) => string;
  /** Expert whose share each expert is multiplied by. */
  readonly shareOf?: readonly number[];
}

/** A mixture of three experts with weights of their own, whose shares are sliced one by one. */
function mixture({
  shares = (b, x) => b.op("Softmax", [x], { axis: -1 }),
  change = (_, x) => x,
  more = (_, x) => x,
  shareOf = [0, 1, 2],
}: MixtureTraits = {}): Graph {
  const b = new GraphBuilder();
  const x = b.op("Tanh", [b.linear(b.input("x", [5]), "in", 5, 6)]);
  const all = shares(b, b.linear(x, "gate", 6, EXPERTS));
  const parts = shareOf.map((share, expert) => {
    const hidden = b.op("Relu", [b.linear(x, `experts.${expert}.up`, 6, 7)]);
    const output = change(b, b.linear(hidden, `experts.${expert}.down`, 7, 6), expert);
    return b.op("Mul", [output, b.slice(all, 1, [share, share + 1])]);
  });
  const sum = parts.reduce((left, right) => b.op("Add", [left, right]));
  return b.output(b.linear(more(b, sum), "out", 6, 2)).build();
}

describe("discoverExchanges()", () => {
  test("finds experts with the rows of their router, and proves that they may change places", async () => {
    const graph = mixture();
    const exchanges = await discoverExchanges({ graph, engine });
    expect(exchanges).toMatchObject([
      {
        name: "experts",
        parts: [0, 1, 2].map((expert) => expect.arrayContaining([`experts.${expert}.up.weight`])),
        selectors: [
          { weight: "gate.weight", axis: 1 },
          { weight: "gate.bias", axis: 0 },
        ],
      },
    ]);
    expect(await verifyExchanges({ graph, engine }, exchanges, { seed: 1 })).toMatchObject({ passed: true });
  });

  test("finds experts among other summands, and with shares in another order", async () => {
    const graph = mixture({ more: (b, sum) => b.op("Add", [b.linear(sum, "more", 6, 6), sum]) });
    const added = mixture({ shareOf: [2, 0, 1] });
    for (const each of [graph, added]) {
      const exchanges = await discoverExchanges({ graph: each, engine });
      expect(exchanges).toHaveLength(1);
      const verified = await verifyExchanges({ graph: each, engine }, exchanges, { seed: 1 });
      expect(verified).toMatchObject({ passed: true });
    }
  });

  test.each<readonly [string, MixtureTraits]>([
    [
      "one of them has another activation",
      { change: (b, x, expert) => (expert === 1 ? b.op("Tanh", [x]) : x) },
    ],
    [
      "constants tell them apart",
      { change: (b, x, expert) => b.op("Mul", [x, b.constant([expert + 1], [])]) },
    ],
    ["two of them have the same share", { shareOf: [0, 1, 1] }],
    ["the router's order matters", { shares: (b, x) => b.op("CumSum", [x, b.ints(1)]) }],
    [
      "numbers of their own are added to the logits",
      {
        shares: (b, x) => b.op("Softmax", [b.op("Add", [x, b.constant([0, 1, 2], [3])])], { axis: -1 }),
      },
    ],
  ])("finds none where %s", async (_, traits) => {
    const graph = mixture(traits);
    const exchanges = await discoverExchanges({ graph, engine });
    expect(exchanges).toEqual([]);
  });

  test("finds the experts of each layer of Mixtral, and none in Llama", async () => {
    const config = {
      ...{ vocab_size: 20, hidden_size: 8, intermediate_size: 6, num_hidden_layers: 2 },
      ...{ num_attention_heads: 2, num_key_value_heads: 1 },
    };
    const experts = { num_local_experts: 3, num_experts_per_tok: 2 };
    const { graph } = networkOfConfig({
      ...config,
      ...experts,
      model_type: "mixtral",
      architectures: ["MixtralForCausalLM"],
    });
    const exchanges = await discoverExchanges({ graph, engine });
    expect(exchanges.map(({ name, parts }) => [name, parts.length])).toEqual([
      ["model.layers.0.block_sparse_moe.experts", 3],
      ["model.layers.1.block_sparse_moe.experts", 3],
    ]);
    expect(await verifyExchanges({ graph, engine }, exchanges, { seed: 1 })).toMatchObject({ passed: true });
    const llama = networkOfConfig({ ...config, model_type: "llama", architectures: ["LlamaForCausalLM"] });
    expect(await discoverExchanges({ graph: llama.graph, engine })).toEqual([]);
  });
});

describe("exchangeParts()", () => {
  test("by an order and then by its inverse changes nothing", async () => {
    const graph = mixture();
    const exchanges = await discoverExchanges({ graph, engine });
    await fc.assert(
      fc.asyncProperty(fc.nat(1e6), async (seed) => {
        const network = createCheckpoint(randomWeights(graph, seed));
        const orders = randomOrders(exchanges, seed);
        const moved = exchangeParts(network, exchanges, orders);
        expect(await distance(network, moved)).toBeGreaterThan(1);
        const inverses = orders.map((order) => order.map((_, part) => order.indexOf(part)));
        expect(await distance(network, exchangeParts(moved, exchanges, inverses))).toBe(0);
      }),
      { numRuns: 10, seed: 1 },
    );
  });

  test("refuses what is no order of the parts, and networks without a weight", async () => {
    const graph = mixture();
    const exchanges = await discoverExchanges({ graph, engine });
    const network = createCheckpoint(randomWeights(graph, 1));
    for (const order of [
      [0, 1],
      [0, 0, 1],
      [0, 1, 3],
    ])
      expect(() => exchangeParts(network, exchanges, [Int32Array.from(order)])).toThrow(
        /each of 3 parts once/,
      );
    const other = createCheckpoint(new Map([["x", createTensor("f32", [1], new Float32Array(1))]]));
    expect(() => exchangeParts(other, exchanges, randomOrders(exchanges, 1))).toThrow(/must have the weight/);
  });
});

describe("verifyExchanges()", () => {
  test("catches a router whose rows stay", async () => {
    const graph = mixture();
    const [exchange] = await discoverExchanges({ graph, engine });
    if (exchange === undefined) throw new Error("no exchange was found");
    const wrong = [{ ...exchange, selectors: [] }];
    expect(await verifyExchanges({ graph, engine }, wrong, { seed: 1 })).toMatchObject({ passed: false });
  });
});
