import type { LogitsBatch } from "./read-logits.ts";

/** Most logits that are held, 1 GiB of f32. */
const MOST_HELD = 2 ** 28;

/** Logits of a batch with the part that each row has in the mean loss of examples. */
interface WeightedBatch extends LogitsBatch {
  /** One for each example, divided among its rows that count, `[examples * rows]`. */
  readonly weights: Float64Array;
}

/** Logits of the first examples of a data set, as many as memory is meant to hold and at least one. */
export class HeldLogits {
  readonly #batches: WeightedBatch[] = [];
  readonly #most: number;
  #size = 0;
  #examples = 0;
  #isFull = false;

  /** @param most - number of logits that are held at most */
  constructor(most: number = MOST_HELD) {
    this.#most = most;
  }

  /** The logits, batch by batch, in the order of the data set. */
  get batches(): readonly WeightedBatch[] {
    return this.#batches;
  }

  /** Number of examples that are held. */
  get examples(): number {
    return this.#examples;
  }

  /** Whether examples were left out, as all after them will be. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Copies a batch, or as many of its examples as there is room for; the others are left out. */
  add({ logits, labels, rows, begin }: LogitsBatch): void {
    if (this.#isFull) return;
    const examples = labels.length / rows;
    const perExample = logits.length / examples;
    const room = Math.max(this.#examples === 0 ? 1 : 0, Math.floor((this.#most - this.#size) / perExample));
    const taken = Math.min(examples, room);
    this.#isFull = taken < examples;
    if (taken === 0) return;
    const heldLabels = labels.slice(0, taken * rows);
    // An engine may use the memory of its outputs again.
    const heldLogits = logits.slice(0, taken * perExample);
    const weights = shareRows(heldLabels, rows);
    this.#batches.push({ logits: heldLogits, labels: heldLabels, rows, begin, weights });
    this.#size += heldLogits.length;
    this.#examples += taken;
  }
}

/** Divides one for each example among its rows that have a label. */
function shareRows(labels: Int32Array, rows: number): Float64Array {
  const weights = new Float64Array(labels.length);
  for (let begin = 0; begin < labels.length; begin += rows) {
    const counted = labels.subarray(begin, begin + rows).filter((label) => label >= 0).length;
    weights.fill(1 / counted, begin, begin + rows);
  }
  return weights;
}
