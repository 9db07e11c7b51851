import { at } from "@isthmus/core";
import { add, concat, mul, reshape, split, transpose, type Value } from "@isthmus/graph/builder";
import type { NetworkBuilder } from "../network-builder.ts";

/** Factors that rotate pairs of dimensions, `[length, 1, turned]` each. */
export interface RotaryTables {
  /** Factors of a dimension itself: cosines of angles. */
  readonly cosines: Value;
  /**
   * Factors of the other dimension of the pair: sines of
   * angles, negative for the first half of the dimensions.
   */
  readonly sines: Value;
  /**
   * Whether the dimensions of a pair are neighbours, `2 i` and `2 i + 1`, as in GPT-J, instead of half of the
   * rotated dimensions apart.
   */
  readonly neighbours: boolean;
}

/**
 * Returns the angle, in radians, by which each pair of dimensions is rotated from one token to the next:
 * `base^(-i / pairs)` for pair `i`, `[pairs]`, where `pairs` is half of the `turned` rotated dimensions.
 */
export function rotaryFrequencies(turned: number, base: number): Float64Array {
  const pairs = turned / 2;
  return Float64Array.from({ length: pairs }, (_, i) => base ** (-i / pairs));
}

/** Options of {@link rotaryTables}. */
export interface RotaryTableOptions {
  /**
   * Factor of the rotated values, by which some models sharpen attention to long texts. @defaultValue 1
   */
  readonly stretch?: number | undefined;
  /** Whether the dimensions of a pair are neighbours. @defaultValue false */
  readonly neighbours?: boolean;
}

/**
 * Returns the tables of the first `length` positions, with a pair of dimensions for each frequency.
 */
export function rotaryTables(
  network: NetworkBuilder,
  length: number,
  frequencies: Float64Array,
  { stretch = 1, neighbours = false }: RotaryTableOptions = {},
): RotaryTables {
  const half = frequencies.length;
  const turned = 2 * half;
  const [cosines, sines] = [new Float64Array(length * turned), new Float64Array(length * turned)];
  for (let token = 0; token < length; token++) {
    for (const [pair, frequency] of frequencies.entries()) {
      const angle = token * frequency;
      const first = token * turned + pair;
      cosines[first] = stretch * Math.cos(angle);
      cosines[first + half] = stretch * Math.cos(angle);
      sines[first] = -stretch * Math.sin(angle);
      sines[first + half] = stretch * Math.sin(angle);
    }
  }
  const table = (numbers: Float64Array) => network.graph.numbers(numbers, "f32", [length, 1, turned]);
  return { cosines: table(cosines), sines: table(sines), neighbours };
}

/**
 * Rotates each pair of dimensions of `x [N, length, heads, inner]` by an angle that grows with the position;
 * dimensions from `turned` on are unchanged. Pairs of neighbours come out half of the rotated dimensions
 * apart, which no product of queries and keys notices.
 * @see Su et al., RoFormer, 2021, section 3.4.2
 */
export function rotate(x: Value, tables: RotaryTables): Value {
  const inner = at(x.shape, 3, "axis");
  const turned = at(tables.cosines.shape, 2, "axis");
  if (turned === inner) return turn(x, tables);
  const [first, rest] = split(x, 3, [turned, inner - turned]) as [Value, Value];
  return concat([turn(first, tables), rest], 3);
}

function turn(pairs: Value, { cosines, sines, neighbours }: RotaryTables): Value {
  const half = at(pairs.shape, 3, "axis") / 2;
  const x = neighbours ? halvesApart(pairs) : pairs;
  const [first, second] = split(x, 3, [half, half]) as [Value, Value];
  return add(mul(x, cosines), mul(concat([second, first], 3), sines));
}

/** Moves the first dimensions of all pairs of neighbours before the second ones. */
function halvesApart(x: Value): Value {
  const [, length, heads, inner] = x.shape as [number, number, number, number];
  const pairs = reshape(x, [-1, length, heads, inner / 2, 2]);
  return reshape(transpose(pairs, [0, 1, 2, 4, 3]), [-1, length, heads, inner]);
}
