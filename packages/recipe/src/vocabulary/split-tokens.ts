import { at } from "@isthmus/core";
import type { Encode } from "@isthmus/zoo";
import type { RowCombinations } from "./combine-rows.ts";
import { type TokenMatches, tokenAt } from "./match-tokens.ts";
import { textOfKey } from "./token-keys.ts";

/**
 * Approximates tokens by the mean of the rows of the pieces into which the model's own tokenizer splits their
 * text. A token that is a part of a character is split into bytes if the model has tokens of bytes. A token
 * that cannot be split has a combination of no rows.
 *
 * Differs from mergekit 0.1.5, which splits the token as its vocabulary writes it, such as `Ċ` for a line
 * end.
 *
 * @param ids - ids of the tokens to approximate
 * @param size - number of the model's rows; pieces beyond it are left out
 */
export function splitTokens(
  ids: Int32Array,
  { tokens, keys, rowsByKey }: TokenMatches,
  encode: Encode,
  size: number,
): RowCombinations {
  const offsets = new Int32Array(ids.length + 1);
  const [rows, factors]: [number[], number[]] = [[], []];
  for (let i = 0; i < ids.length; i++) {
    const token = tokenAt({ tokens }, at(ids, i));
    const key = keys.get(token);
    const text = key === undefined ? token : textOfKey(key);
    const bytes = text === undefined ? [...(key?.key ?? "")].map((byte) => rowsByKey.get(byte)) : [];
    const pieces = text === undefined ? bytes.filter((row) => row !== undefined) : [...encode(text)];
    const rowsOfToken = pieces.filter((row) => row >= 0 && row < size);
    rows.push(...rowsOfToken);
    for (const _ of rowsOfToken) factors.push(1 / rowsOfToken.length);
    offsets[i + 1] = rows.length;
  }
  return { offsets, rows: Int32Array.from(rows), factors: Float32Array.from(factors) };
}
