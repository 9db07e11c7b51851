import { at } from "@isthmus/core";
import { add, matMul, mul, reshape, softmax, tanh, transpose, type Value } from "@isthmus/graph/builder";

/**
 * Number that is added to the scores of hidden tokens: low enough that the softmax gives them weight 0, and
 * still finite in f32.
 */
const HIDDEN = -1e9;

/** Number of tokens of an example and number of attention heads, by which rows are split into heads. */
export interface HeadLayout {
  /** Number of tokens of an example. */
  readonly length: number;
  /** Number of heads, side by side in a row. */
  readonly heads: number;
}

/** Splits rows `[N * length, heads * inner]` into heads of queries or values, `[N, heads, length, inner]`. */
export function splitHeads(rows: Value, { length, heads }: HeadLayout): Value {
  const inner = at(rows.shape, 1, "axis") / heads;
  return transpose(reshape(rows, [-1, length, heads, inner]), [0, 2, 1, 3]);
}

/**
 * Splits rows `[N * length, heads * inner]` into heads of keys, transposed for the product with queries:
 * `[N, heads, inner, length]`.
 */
export function splitKeys(rows: Value, { length, heads }: HeadLayout): Value {
  const inner = at(rows.shape, 1, "axis") / heads;
  return transpose(reshape(rows, [-1, length, heads, inner]), [0, 2, 3, 1]);
}

/** Joins heads `[N, heads, length, inner]` into rows `[N * length, heads * inner]`. */
export function joinHeads(x: Value): Value {
  const [heads, inner] = [at(x.shape, 1, "axis"), at(x.shape, 3, "axis")];
  return reshape(transpose(x, [0, 2, 1, 3]), [-1, heads * inner]);
}

/** Operands of {@link attention}; `...` are any further axes, which are broadcast against each other. */
export interface AttentionOperands {
  /** Queries, `[N, ..., length, inner]`. */
  readonly queries: Value;
  /** Transposed keys, `[N, ..., inner, length]`. */
  readonly keys: Value;
  /** Values, `[N, ..., length, inner]`. */
  readonly values: Value;
  /**
   * Further queries and keys, whose products are added to the scores; heads may share them. @defaultValue
   * none
   */
  readonly further?: Pick<AttentionOperands, "queries" | "keys">;
  /** Summand of the scores, `[length, length]` or any shape that is broadcast to them. @defaultValue none */
  readonly mask?: Value;
  /** Factor of the scores. @defaultValue one over the square root of the length of queries */
  readonly scale?: number;
  /** Bound that scores approach as hyperbolic tangents, before the mask. @defaultValue none */
  readonly cap?: number;
  /** Function that is applied to the weights of values. @defaultValue none */
  readonly drop?: (weights: Value) => Value;
}

/**
 * Averages the values, weighted by the softmax of the inner products of queries and keys over the square root
 * of their length: `[N, ..., length, inner]`.
 */
export function attention(operands: AttentionOperands): Value {
  const { queries, values, mask, drop, cap, further } = operands;
  const inner = at(queries.shape, queries.shape.length - 1, "axis");
  const { scale = 1 / Math.sqrt(inner) } = operands;
  // Scaling queries costs less than scaling scores if heads are thinner than sequences are long.
  const multiply = (pair: Pick<AttentionOperands, "queries" | "keys">) =>
    matMul(scale === 1 ? pair.queries : mul(pair.queries, scale), pair.keys);
  const products = further === undefined ? multiply(operands) : add(multiply(operands), multiply(further));
  const scores = cap === undefined ? products : softCap(products, cap);
  const weights = softmax(mask === undefined ? scores : add(scores, mask));
  return matMul(drop === undefined ? weights : drop(weights), values);
}

/**
 * Bounds values softly: `cap tanh(x / cap)`. @see Gemma Team, Gemma 2, 2024, section 2, logit soft-capping
 */
export function softCap(x: Value, cap: number): Value {
  return mul(tanh(mul(x, 1 / cap)), cap);
}

/**
 * Returns a mask, `[length, length]`, by which each token sees only tokens up to a distance on both sides.
 */
export function nearMask(length: number, distance: number): Float32Array {
  const mask = new Float32Array(length * length);
  for (let row = 0; row < length; row++) {
    mask.fill(HIDDEN, row * length, row * length + Math.max(0, row - distance));
    mask.fill(HIDDEN, row * length + Math.min(length, row + distance + 1), (row + 1) * length);
  }
  return mask;
}

/**
 * Returns a mask, `[length, length]`, that is added to scores so that each token sees only itself and earlier
 * tokens.
 * @param window - maximum number of tokens that a token sees, including itself
 */
export function causalMask(length: number, window: number = length): Float32Array {
  const mask = new Float32Array(length * length);
  for (let row = 0; row < length; row++) {
    mask.fill(HIDDEN, row * length, row * length + Math.max(0, row + 1 - window));
    mask.fill(HIDDEN, row * length + row + 1, (row + 1) * length);
  }
  return mask;
}
