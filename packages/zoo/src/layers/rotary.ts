import { add, concat, mul, split, type Value } from "@isthmus/graph/builder";
import type { NetworkBuilder } from "../network-builder.ts";

/** Factors of each turned dimension and of its partner, `[length, 1, turned]`. */
export interface RotaryTables {
  readonly own: Value;
  readonly partner: Value;
}

/** Angles a token further, of each pair of dimensions, `[turned / 2]`: `base^(-i / pairs)`. */
export function rotaryFrequencies(turned: number, base: number): Float64Array {
  const pairs = turned / 2;
  return Float64Array.from({ length: pairs }, (_, i) => base ** (-i / pairs));
}

/** Tables of the first `length` places, for as many pairs of dimensions as there are frequencies. */
export function rotaryTables(
  network: NetworkBuilder,
  length: number,
  frequencies: Float64Array,
): RotaryTables {
  const half = frequencies.length;
  const turned = 2 * half;
  const [own, partner] = [new Float64Array(length * turned), new Float64Array(length * turned)];
  for (let token = 0; token < length; token++) {
    for (let i = 0; i < turned; i++) {
      const angle = token * (frequencies[i % half] ?? 0);
      own[token * turned + i] = Math.cos(angle);
      partner[token * turned + i] = i < half ? -Math.sin(angle) : Math.sin(angle);
    }
  }
  const table = (numbers: Float64Array) => network.graph.numbers(numbers, "f32", [length, 1, turned]);
  return { own: table(own), partner: table(partner) };
}

/**
 * Turns each pair of dimensions `i` and `i + turned / 2` of `x [N, length, heads, inner]` by an angle that grows with the place;
 * dimensions from `turned` on stay as they are.
 * @see Su et al., RoFormer, 2021, section 3.4.2
 */
export function rotate(x: Value, tables: RotaryTables): Value {
  const inner = x.shape[3] ?? 0;
  const turned = tables.own.shape[2] ?? 0;
  if (turned === inner) return turn(x, tables);
  const [first, rest] = split(x, 3, [turned, inner - turned]) as [Value, Value];
  return concat([turn(first, tables), rest], 3);
}

function turn(x: Value, { own, partner }: RotaryTables): Value {
  const half = (x.shape[3] ?? 0) / 2;
  const [first, second] = split(x, 3, [half, half]) as [Value, Value];
  return add(mul(x, own), mul(concat([second, first], 3), partner));
}
