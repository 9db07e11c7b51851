import { expect, test } from "vitest";
import { createTensor } from "../tensor/tensor.ts";
import { assertSameStructure } from "./compare-checkpoints.ts";
import { createCheckpoint } from "./create-checkpoint.ts";

const mixtureOf = (experts: number, others: Readonly<Record<string, number>> = {}) => {
  const sizes = Array.from({ length: experts }, (_, i) => [
    `model.layers.0.mlp.experts.${i}.up_proj.weight`,
    2,
  ]);
  const all = [...sizes, ...Object.entries(others)] as [string, number][];
  return createCheckpoint(
    Object.fromEntries(
      all.map(([name, size]) => [name, createTensor("f32", [size], new Float32Array(size))]),
    ),
  );
};

test("mixtures of unequal numbers of experts are refused with what to do first", () => {
  expect(() => assertSameStructure(mixtureOf(4), mixtureOf(2))).toThrow(
    /experts\.3.*unequal numbers of experts: make them equal first, by isthmus experts MIXTURE --reduce N/,
  );
});

test("networks that differ in something else are refused without a word on experts", () => {
  const other = mixtureOf(2, { "model.norm.weight": 3 });
  expect(() => assertSameStructure(mixtureOf(4), other)).toThrow(/^(?!.*unequal numbers)/);
});
