/** Splits texts into token ids. */
export type Encode = (text: string) => Int32Array;

/** Options of {@link encodeInPieces}. */
export interface PieceOptions {
  /** Number of characters from which on a piece may end. @defaultValue 16,384 */
  readonly piece?: number;
}

const PIECE = 2 ** 14;

/** Number of characters on either side of a cut by which the cut is proved. */
const CONTEXT = 200;

/** Number of positions between words that are tried before a piece is made longer. */
const TRIES = 64;

/** A cut of a text: the end of a piece, and the beginning of the next one. */
interface Cut {
  readonly end: number;
  readonly begin: number;
}

/**
 * Encodes a long text in pieces, and returns the same ids as for the whole text: some tokenizers take
 * excessive time or memory for a text in one piece.
 *
 * A text is cut between words, and only if the characters around the cut have the same ids in two pieces as
 * in one. The space between the pieces belongs to the first or the second piece, or is left out if the
 * tokenizer puts a space in front of every text.
 */
export function encodeInPieces(
  encode: Encode,
  text: string,
  { piece = PIECE }: PieceOptions = {},
): Int32Array {
  const parts: Int32Array[] = [];
  let begin = 0;
  while (begin < text.length || parts.length === 0) {
    const cut = findCut(encode, text, begin + piece);
    parts.push(encode(text.slice(begin, cut.end)));
    begin = cut.begin;
  }
  return concatenate(parts);
}

/**
 * Finds the first position from `from` on at which a text can be cut; the end of the text if there is none.
 */
function findCut(encode: Encode, text: string, from: number): Cut {
  const spaces = /\s/g;
  for (let first = from; first < text.length; first += PIECE) {
    spaces.lastIndex = first;
    for (let tries = 0; tries < TRIES; tries++) {
      const space = spaces.exec(text)?.index;
      if (space === undefined) return { end: text.length, begin: text.length };
      const cut = cutsAt(space).find((candidate) => isProved(encode, text, candidate));
      if (cut !== undefined) return cut;
    }
  }
  return { end: text.length, begin: text.length };
}

function cutsAt(space: number): readonly Cut[] {
  return [
    { end: space, begin: space },
    { end: space + 1, begin: space + 1 },
    { end: space, begin: space + 1 },
  ];
}

/** Checks that the characters around a cut have the same ids in two pieces as in one. */
function isProved(encode: Encode, text: string, { end, begin }: Cut): boolean {
  if (begin >= text.length) return false;
  const [first, last] = [Math.max(0, end - CONTEXT), Math.min(text.length, begin + CONTEXT)];
  const whole = encode(text.slice(first, last));
  const pieces = concatenate([encode(text.slice(first, end)), encode(text.slice(begin, last))]);
  return whole.length === pieces.length && whole.every((id, i) => id === pieces[i]);
}

function concatenate(parts: readonly Int32Array[]): Int32Array {
  const joined = new Int32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let to = 0;
  for (const part of parts) {
    joined.set(part, to);
    to += part.length;
  }
  return joined;
}
