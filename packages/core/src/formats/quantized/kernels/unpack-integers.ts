/** Position of an integer in 32-bit words, which integers fill without gaps, low bits first. */
interface PackedPlace {
  /** Number of the word that has the lowest bit of the integer. */
  readonly word: number;
  /** Distance from that word to the word that has the next bits. */
  readonly step: number;
  /** Number of the lowest bit of the integer in its word, from 0. */
  readonly shift: number;
  /** Number of bits of the integer, 1 to 8. */
  readonly bits: number;
}

/** Reads an integer of few bits, which may begin in one 32-bit word and end in the next. */
export function readPacked(words: Int32Array, { word, step, shift, bits }: PackedPlace): number {
  const low = words[word]! >>> shift;
  const high = shift + bits > 32 ? words[word + step]! << (32 - shift) : 0;
  return (low | high) & ((1 << bits) - 1);
}

/** Integers of a matrix and the numbers by which they are turned into weights. */
export interface GroupedIntegers {
  /** Number of columns of the weight. */
  readonly inputs: number;
  /** Number of rows of the weight. */
  readonly outputs: number;
  /** Returns the integer of a column and a row of the weight. */
  readonly codeAt: (input: number, output: number) => number;
  /** Group of each column. */
  readonly groups: Int32Array;
  /** Number of groups. */
  readonly groupCount: number;
  /** Scale of each group and row: all rows of the first group first, unless `byOutput`. */
  readonly scales: Float32Array;
  /** Integer that stands for zero in each group and row, in the order of the scales. */
  readonly zeros: Int16Array | undefined;
  /** Whether scales and zeros have all groups of the first row first. */
  readonly byOutput: boolean;
  /** Number by which each product is multiplied. */
  readonly factor: number;
}

/**
 * Computes elements of a weight from its integers: (integer - zero of its group) times scale of its group.
 *
 * The loop runs over columns outside and rows inside, as words of GPTQ and AWQ have neighbouring rows beside
 * each other.
 * @param out - elements from `begin` on, in row-major order
 */
export function scaleIntegers(matrix: GroupedIntegers, begin: number, out: Float32Array): void {
  const { inputs, outputs, codeAt, groups, groupCount, scales, zeros, byOutput, factor } = matrix;
  const [groupStep, outputStep] = byOutput ? [1, groupCount] : [outputs, 1];
  for (let input = 0; input < inputs; input++) {
    const first = Math.max(0, Math.ceil((begin - input) / inputs));
    const end = Math.ceil((begin + out.length - input) / inputs);
    const group = groups[input]! * groupStep;
    for (let output = first; output < end; output++) {
      const place = group + output * outputStep;
      const zero = zeros === undefined ? 0 : zeros[place]!;
      const product = Math.fround((codeAt(input, output) - zero) * scales[place]!);
      out[output * inputs + input - begin] = product * factor;
    }
  }
}
