import { at } from "@isthmus/core";
import { gemm, reshape, type Value } from "@isthmus/graph/builder";

/**
 * Returns the inner products of rows of tokens with every row of a table of words, `[N, length, vocabulary]`.
 * @param rows - `[N * length, width]`
 * @param table - `[vocabulary, width]`: an embedding, or the weight of a separate head
 */
export function tokenLogits(rows: Value, table: Value, length: number): Value {
  return reshape(gemm(rows, table, { transB: true }), [-1, length, at(table.shape, 0, "axis")]);
}
