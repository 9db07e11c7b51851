/** A matrix as rows. */
export type Matrix = readonly (readonly number[])[];

/** Weights of a transformer of one block with one head; rows are what a matrix writes, columns what it reads. */
export interface Tiny {
  /** Vector of each word, `[words, stream]`. */
  readonly embedding: Matrix;
  /** Matrices of the attention, which read the stream, `[head, stream]`. */
  readonly query: Matrix;
  readonly key: Matrix;
  readonly value: Matrix;
  /** Matrix that writes what the attention found into the stream, `[stream, head]`. */
  readonly out: Matrix;
  /** Matrices of the feed-forward layer, `[hidden, stream]` and `[stream, hidden]`. */
  readonly up: Matrix;
  readonly down: Matrix;
  /** Matrix that reads the logits of each word from the stream, `[words, stream]`. */
  readonly unembedding: Matrix;
}

const STREAM = 6;
const WORDS = 5;
const HEAD = 4;
const HIDDEN = 6;

/** Words whose successor is predicted. */
const TEXT = [0, 3, 1, 4];

/** Returns a matrix of numbers between -1 and 1 that look random, always the same. */
function weights(rows: number, columns: number, salt: number): Matrix {
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, column) => {
      const wave = Math.sin(12.9898 * (row + 1) + 78.233 * (column + 1) + 37.719 * salt) * 43758.5453;
      return 2 * (wave - Math.floor(wave)) - 1;
    }),
  );
}

/** The transformer of the figure. */
export const TINY: Tiny = {
  embedding: weights(WORDS, STREAM, 1),
  query: weights(HEAD, STREAM, 2),
  key: weights(HEAD, STREAM, 3),
  value: weights(HEAD, STREAM, 4),
  out: weights(STREAM, HEAD, 5),
  up: weights(HIDDEN, STREAM, 6),
  down: weights(STREAM, HIDDEN, 7),
  unembedding: weights(WORDS, STREAM, 8),
};

/** Multiplies two matrices; the second one is transposed if asked. */
function multiply(a: Matrix, b: Matrix, transposed = false): Matrix {
  const columns = transposed ? b : (b[0] ?? []).map((_, column) => b.map((row) => row[column] ?? 0));
  return a.map((row) => columns.map((column) => dot(row, column)));
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
}

/** Returns an orthogonal matrix that turns the stream by an angle in several planes, one after the other. */
export function rotationBy(degrees: number): Matrix {
  const angle = (degrees * Math.PI) / 180;
  const planes = [
    [0, 1, 1],
    [2, 3, 0.7],
    [4, 5, 1.3],
    [1, 2, 0.9],
    [3, 4, 1.1],
    [0, 5, 0.6],
  ] as const;
  const identity: Matrix = Array.from({ length: STREAM }, (_, i) =>
    Array.from({ length: STREAM }, (_, j) => (i === j ? 1 : 0)),
  );
  return planes.reduce<Matrix>((turned, [i, j, share]) => {
    const [cos, sin] = [Math.cos(share * angle), Math.sin(share * angle)];
    const [first, second] = [turned[i] ?? [], turned[j] ?? []];
    return turned.map((row, r) => {
      if (r === i) return first.map((value, c) => cos * value - sin * (second[c] ?? 0));
      return r === j ? second.map((value, c) => cos * value + sin * (first[c] ?? 0)) : row;
    });
  }, identity);
}

/** Turns the stream: what reads it is turned on the right, what writes it on the left, and words as vectors. */
export function rotate(tiny: Tiny, rotation: Matrix): Tiny {
  const reads = (matrix: Matrix) => multiply(matrix, rotation, true);
  const writes = (matrix: Matrix) => multiply(rotation, matrix);
  return {
    embedding: reads(tiny.embedding),
    query: reads(tiny.query),
    key: reads(tiny.key),
    value: reads(tiny.value),
    out: writes(tiny.out),
    up: reads(tiny.up),
    down: writes(tiny.down),
    unembedding: reads(tiny.unembedding),
  };
}

/** Computes the logits of the word after the text. */
export function outputOf({ embedding, query, key, value, out, up, down, unembedding }: Tiny): number[] {
  const stream = TEXT.map((word) => embedding[word] ?? []);
  const normed = stream.map(norm);
  const last = normed.at(-1) ?? [];
  const apply = (matrix: Matrix, vector: readonly number[]) => matrix.map((row) => dot(row, vector));
  const asked = apply(query, last);
  const scores = normed.map((token) => Math.exp(dot(asked, apply(key, token)) / Math.sqrt(HEAD)));
  const total = scores.reduce((a, b) => a + b, 0);
  const found = apply(value, last).map((_, i) =>
    normed.reduce((sum, token, k) => sum + ((scores[k] ?? 0) / total) * (apply(value, token)[i] ?? 0), 0),
  );
  const attended = add(stream.at(-1) ?? [], apply(out, found));
  const hidden = apply(up, norm(attended)).map((x) => x / (1 + Math.exp(-x)));
  return apply(unembedding, norm(add(attended, apply(down, hidden))));
}

function add(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, i) => value + (b[i] ?? 0));
}

/** Divides a vector by the root of the mean of its squares, which turning does not change. */
function norm(vector: readonly number[]): number[] {
  const scale = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0) / vector.length + 1e-6);
  return vector.map((x) => x / scale);
}
