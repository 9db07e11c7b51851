import { FormatError } from "../../../errors.ts";
import { MAX_PICKLE_STEPS } from "../../../io/limits.ts";

/**
 * Cost of the parts of a pickle, in steps. A step takes about 50 bytes of memory, measured on Node 20, and
 * 100 ns; a plain value or an operation costs one.
 */
export const COST = {
  /** A string, plus its bytes, as decoding takes time. */
  string: 1,
  /** An empty list, set or tuple, or a view of bytes. */
  object: 2,
  /** A list that grows from a mark. */
  mark: 4,
  /** An empty dictionary. */
  dictionary: 5,
  /** An entry of a dictionary, a set or the memo. */
  entry: 1,
  /** A tensor, plus 1 for each axis. */
  tensor: 8,
} as const;

/** Number of steps that any pickle may take, however short. */
const FREE_STEPS = 100_000;

/** Further steps for each byte: PyTorch writes at least 100 bytes for a tensor, which take about 80 steps. */
const STEPS_PER_BYTE = 2;

/**
 * Counter that limits the steps of the pickles of one file by their length, so that a small file takes little
 * memory even if it repeats and copies its values often.
 */
export class PickleBudget {
  readonly #name: string;
  #spent = 0;

  /** @param name - name of the file, for messages */
  constructor(name: string) {
    this.#name = name;
  }

  /**
   * Counts steps.
   * @param bytes - how many bytes of the file have been read so far
   * @throws FormatError if there are more steps than a pickle of that length may take
   */
  spend(steps: number, bytes: number): void {
    this.#spent += steps;
    const most = Math.min(MAX_PICKLE_STEPS, FREE_STEPS + STEPS_PER_BYTE * bytes);
    if (this.#spent <= most) return;
    throw new FormatError(
      `Cannot read the pickle of "${this.#name}" as its first ${bytes} bytes may take at most ${most} steps: they take more`,
      { format: "pickle" },
    );
  }
}
