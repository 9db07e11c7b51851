import { readFileSync } from "node:fs";
import { createCheckpoint } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { pruneNetwork, quantizeNetwork } from "@isthmus/sparsity";
import { expect, test } from "vitest";
import { waves } from "../../../test/helpers/waves.ts";

type ByWeight<T> = Readonly<Record<string, T>>;

/** What PyTorch computes; see tools/golden/pruning.py. */
const golden: {
  readonly shapes: ByWeight<readonly number[]>;
  readonly pruned: readonly {
    readonly sparsity: number;
    readonly global: ByWeight<string>;
    readonly layer: ByWeight<string>;
  }[];
  readonly quantized: readonly {
    readonly bits: 8 | 4;
    readonly channel: ByWeight<readonly number[]>;
    readonly tensor: ByWeight<readonly number[]>;
  }[];
} = JSON.parse(readFileSync(new URL("golden/pruning.json", import.meta.url), "utf8"));

const tensors = new Map(
  Object.entries(golden.shapes).map(([name, shape], seed) => [name, waves(shape, seed, 1)]),
);
const network = createCheckpoint(tensors, {}, "waves");
const graph: Graph = {
  ...{ name: "waves", opsets: new Map(), inputs: [], constants: new Map(), nodes: [], outputs: [] },
  weights: new Map(
    [...tensors].map(([name, { dtype, shape }]) => [name, { dtype, shape, role: "parameter" }]),
  ),
};

for (const expected of golden.pruned) {
  for (const by of ["global", "layer"] as const) {
    test(`prunes the same as PyTorch: ${expected.sparsity} by ${by}`, async () => {
      const { masks } = await pruneNetwork({ graph }, network, { sparsity: expected.sparsity, by });
      expect(Object.fromEntries([...masks].map(([name, mask]) => [name, mask.join("")]))).toEqual(
        expected[by],
      );
    });
  }
}

for (const expected of golden.quantized) {
  for (const scheme of ["channel", "tensor"] as const) {
    test(`quantises the same as PyTorch: ${expected.bits} bits by ${scheme}`, async () => {
      const { weights } = await quantizeNetwork(network, { bits: expected.bits, scheme });
      for (const [name, values] of Object.entries(expected[scheme])) {
        const { data } = await weights.read(name);
        expect([...(data as Float32Array)].map((x) => x + 0)).toEqual(values.map((x) => Math.fround(x) + 0));
      }
    });
  }
}
