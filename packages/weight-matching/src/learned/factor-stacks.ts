import { at, createTensor, entry, type Tensor } from "@isthmus/core";
import type { GraphBuilder, Value } from "@isthmus/graph/builder";
import type { Mixture } from "@isthmus/symmetry";
import { type MixedWeight, type MixingFactor, pickRows, type RowGroup } from "./mixed-rows.ts";

/** The matrices of a mixture as inputs of a graph: those of one size in one tensor, `[factors, size, size]`. */
export interface FactorStacks {
  /** Returns the matrices of a group, `[factors, size, size]`. */
  matricesOf(group: RowGroup): Value;
  /** Tensors to be fed, by input. */
  readonly feeds: ReadonlyMap<string, Tensor>;
  /** Writes the matrices of a mixture into the tensors. */
  fill(mixture: Mixture): void;
}

interface Stack {
  readonly input: Value;
  readonly size: number;
  readonly factors: MixingFactor[];
  readonly data: Float32Array;
}

/** Adds inputs to a graph for all matrices that change weights. */
export function addFactorStacks(builder: GraphBuilder, weights: readonly MixedWeight[]): FactorStacks {
  const places = new Map<string, number>();
  const bySize = new Map<number, MixingFactor[]>();
  for (const { size, factors } of weights.flatMap(({ views }) => views.flatMap(({ groups }) => groups))) {
    const ofSize = bySize.get(size) ?? [];
    bySize.set(size, ofSize);
    for (const factor of factors) {
      if (places.has(keyOf(factor))) continue;
      places.set(keyOf(factor), ofSize.length);
      ofSize.push(factor);
    }
  }
  const stacks = new Map<number, Stack>();
  const feeds = new Map<string, Tensor>();
  for (const [size, factors] of bySize) {
    const shape = [factors.length, size, size];
    const input = builder.input(`matrices ${size}`, { dtype: "f32", shape });
    const data = new Float32Array(factors.length * size * size);
    feeds.set(input.name, createTensor("f32", shape, data));
    stacks.set(size, { input, size, factors, data });
  }
  return {
    feeds,
    matricesOf({ size, factors }) {
      const { input } = entry(stacks, size, "size");
      return pickRows(
        input,
        factors.map((factor) => entry(places, keyOf(factor), "factor")),
      );
    },
    fill({ matrices, inverses }) {
      for (const { size, factors, data } of stacks.values()) {
        factors.forEach(({ space, isInverse }, place) => {
          data.set(at(isInverse ? inverses : matrices, space, "matrix"), place * size * size);
        });
      }
    },
  };
}

const keyOf = ({ space, isInverse }: MixingFactor): string => `${space} ${isInverse}`;
