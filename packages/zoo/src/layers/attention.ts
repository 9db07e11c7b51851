import { add, matMul, mul, reshape, softmax, transpose, type Value } from "@isthmus/graph/builder";

/** Added to scores that do not count: so much that nothing is left of them, and still finite in f32. */
const HIDDEN = -1e9;

/** How rows of tokens are taken apart into heads. */
export interface HeadLayout {
  /** Tokens of an example. */
  readonly length: number;
  readonly heads: number;
}

/** Rows `[N * length, heads * inner]` as heads of queries or values, `[N, heads, length, inner]`. */
export function splitHeads(rows: Value, { length, heads }: HeadLayout): Value {
  const inner = (rows.shape[1] ?? 0) / heads;
  return transpose(reshape(rows, [-1, length, heads, inner]), [0, 2, 1, 3]);
}

/** Rows as heads of keys, turned for the product with queries: `[N, heads, inner, length]`. */
export function splitKeys(rows: Value, { length, heads }: HeadLayout): Value {
  const inner = (rows.shape[1] ?? 0) / heads;
  return transpose(reshape(rows, [-1, length, heads, inner]), [0, 2, 3, 1]);
}

/** Heads `[N, heads, length, inner]` as rows `[N * length, heads * inner]`. */
export function joinHeads(x: Value): Value {
  const [, heads = 0, , inner = 0] = x.shape;
  return reshape(transpose(x, [0, 2, 1, 3]), [-1, heads * inner]);
}

/** Operands of {@link attention}; `...` are leading axes, broadcast. */
export interface AttentionOperands {
  /** `[N, ..., length, inner]` */
  readonly queries: Value;
  /** `[N, ..., inner, length]` */
  readonly keys: Value;
  /** `[N, ..., length, inner]` */
  readonly values: Value;
  /** Added to the scores, `[length, length]`. @defaultValue none */
  readonly mask?: Value;
  /** Applied to the weights of values. @defaultValue nothing */
  readonly drop?: (weights: Value) => Value;
}

/** Mean of values by the softmax of scaled inner products, `[N, ..., length, inner]`. */
export function attention({ queries, keys, values, mask, drop }: AttentionOperands): Value {
  const inner = queries.shape.at(-1) ?? 1;
  // Scaling queries costs less than scaling scores wherever heads are thinner than sequences are long.
  const scores = matMul(mul(queries, 1 / Math.sqrt(inner)), keys);
  const weights = softmax(mask === undefined ? scores : add(scores, mask));
  return matMul(drop === undefined ? weights : drop(weights), values);
}

/**
 * Scores that let each token see itself and those before, `[length, length]`.
 * @param window - how many tokens one sees at most, itself included
 */
export function causalMask(length: number, window: number = length): Float32Array {
  const mask = new Float32Array(length * length);
  for (let row = 0; row < length; row++) {
    mask.fill(HIDDEN, row * length, row * length + Math.max(0, row + 1 - window));
    mask.fill(HIDDEN, row * length + row + 1, (row + 1) * length);
  }
  return mask;
}
