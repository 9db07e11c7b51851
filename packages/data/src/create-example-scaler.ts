/** Function that writes the scaled bytes of examples, one after the other, to the beginning of `out`. */
export type ExampleScaler = (indices: Uint32Array, out: Float32Array) => void;

/**
 * Creates the function that gathers examples of bytes and looks up each value in a table, with plain loops,
 * as every step of training calls it.
 *
 * Four bytes are read at once if examples begin at multiples of four: this takes 1.5 ns a pixel, against 2.7
 * byte by byte (and 0.9 for copies of examples that were scaled beforehand, which take four times the
 * memory).
 *
 * @param data - `[n, stride]`
 * @param table - `[256]`
 */
export function createExampleScaler(data: Uint8Array, table: Float32Array, stride: number): ExampleScaler {
  if (stride % 4 !== 0 || data.byteOffset % 4 !== 0) {
    return (indices, out) => scaleBytes({ data, table, stride }, indices, out);
  }
  const words = new Uint32Array(data.buffer, data.byteOffset, data.length >> 2);
  return (indices, out) => scaleWords({ words, table, stride: stride >> 2 }, indices, out);
}

function scaleBytes(
  {
    data,
    table,
    stride,
  }: { readonly data: Uint8Array; readonly table: Float32Array; readonly stride: number },
  indices: Uint32Array,
  out: Float32Array,
): void {
  let to = 0;
  for (let i = 0; i < indices.length; i++) {
    const begin = (indices[i] as number) * stride;
    for (let from = begin; from < begin + stride; from++) out[to++] = table[data[from] as number] as number;
  }
}

/** Scales bytes four at a time; the first byte is the lowest of a word on every machine that Node runs on. */
function scaleWords(
  {
    words,
    table,
    stride,
  }: { readonly words: Uint32Array; readonly table: Float32Array; readonly stride: number },
  indices: Uint32Array,
  out: Float32Array,
): void {
  let to = 0;
  for (let i = 0; i < indices.length; i++) {
    const begin = (indices[i] as number) * stride;
    for (let from = begin; from < begin + stride; from++) {
      const word = words[from] as number;
      out[to] = table[word & 255] as number;
      out[to + 1] = table[(word >>> 8) & 255] as number;
      out[to + 2] = table[(word >>> 16) & 255] as number;
      out[to + 3] = table[word >>> 24] as number;
      to += 4;
    }
  }
}
