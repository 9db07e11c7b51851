import { at } from "@isthmus/core";
import { concat, layerNorm, mul, reshape, split, type Value } from "@isthmus/graph/builder";
import { constant } from "../initializer.ts";
import type { NetworkBuilder } from "../network-builder.ts";
import { normalizeRows, type RowNormOptions } from "./row-norm.ts";

/**
 * Way in which the queries, or the keys, of an attention are normalised before they are rotated:
 *
 * - `shared`: each head by itself, with the same weight `NAME_norm.weight`, `[inner]`, for all heads;
 * - `whole`: all heads of a token as one row, with the weight `NAME_norm.weight`, `[heads * inner]`;
 * - `rows`: each head by itself, with its row of the weight `NAME_norm.weight`, `[heads, inner]`;
 * - `listed`: each head by itself, with a weight `NAME_layernorm.norms.INDEX.weight`, `[inner]`, of its own.
 */
export type HeadNormKind = "shared" | "whole" | "rows" | "listed";

/** Kind of the norms of heads, and their options. */
export interface HeadNorms {
  /** Way in which heads are normalised. */
  readonly kind: HeadNormKind;
  /** Kind of the norm of a row, and the number that is added to its variance. */
  readonly norm: RowNormOptions;
}

/** Norms by the way in which heads are normalised, of heads `[N, length, heads, inner]`. */
const NORMS: Readonly<
  Record<HeadNormKind, (network: NetworkBuilder, heads: Value, name: string, norm: RowNormOptions) => Value>
> = {
  shared: (network, heads, name, norm) => normalizeRows(network, heads, `${name}_norm`, norm),
  whole: (network, heads, name, norm) => {
    const [length, count, inner] = extentsOf(heads);
    const rows = reshape(heads, [-1, count * inner]);
    return reshape(normalizeRows(network, rows, `${name}_norm`, norm), [-1, length, count, inner]);
  },
  rows: (network, heads, name, { epsilon }) => {
    const [, count, inner] = extentsOf(heads);
    const ones = network.graph.numbers(new Float32Array(inner).fill(1), "f32", [inner]);
    const weight = network.weight(`${name}_norm.weight`, [count, inner], constant(1));
    return mul(layerNorm(heads, { scale: ones }, { epsilon }), weight);
  },
  listed: (network, heads, name, norm) => {
    const [, count] = extentsOf(heads);
    const parts = split(heads, 2, Array<number>(count).fill(1));
    const normal = parts.map((part, index) =>
      normalizeRows(network, part, `${name}_layernorm.norms.${index}`, norm),
    );
    return concat(normal, 2);
  },
};

/**
 * Normalises heads `[N, length, heads, inner]`.
 * @param name - name of the projection without its last part, such as `...self_attn.q`
 */
export function normalizeHeads(
  network: NetworkBuilder,
  heads: Value,
  name: string,
  { kind, norm }: HeadNorms,
): Value {
  return NORMS[kind](network, heads, name, norm);
}

function extentsOf({ shape }: Value): readonly [length: number, count: number, inner: number] {
  return [at(shape, 1, "axis"), at(shape, 2, "axis"), at(shape, 3, "axis")];
}
