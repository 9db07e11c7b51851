import type { LogitsBatch } from "./read-logits.ts";

/** Maximum number of logits that are held, 1 GiB of f32. */
const MOST_HELD = 2 ** 28;

/** Logits of a batch with the weight of each row in the mean loss of examples. */
interface WeightedBatch extends LogitsBatch {
  /** Weights, `[examples * rows]`: 1 for each example, divided among its rows that count. */
  readonly weights: Float64Array;
}

/** Logits of the first examples of a data set, as many as fit into the allowed memory and at least one. */
export class HeldLogits {
  readonly #batches: WeightedBatch[] = [];
  readonly #most: number;
  #size = 0;
  #examples = 0;
  #isFull = false;

  /** @param most - maximum number of logits that are held */
  constructor(most: number = MOST_HELD) {
    this.#most = most;
  }

  /** Logits, batch by batch, in the order of the data set. */
  get batches(): readonly WeightedBatch[] {
    return this.#batches;
  }

  /** Number of held examples. */
  get examples(): number {
    return this.#examples;
  }

  /** Whether examples were left out; then all later ones are left out, too. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Copies a batch, or as many of its examples as fit; the others are left out. */
  add({ logits, labels, rows, begin }: LogitsBatch): void {
    if (this.#isFull) return;
    const examples = labels.length / rows;
    const perExample = logits.length / examples;
    const room = Math.max(this.#examples === 0 ? 1 : 0, Math.floor((this.#most - this.#size) / perExample));
    const taken = Math.min(examples, room);
    this.#isFull = taken < examples;
    if (taken === 0) return;
    const heldLabels = labels.slice(0, taken * rows);
    // The logits are copied, as an engine may reuse the memory of its outputs.
    const heldLogits = logits.slice(0, taken * perExample);
    const weights = shareRows(heldLabels, rows);
    this.#batches.push({ logits: heldLogits, labels: heldLabels, rows, begin, weights });
    this.#size += heldLogits.length;
    this.#examples += taken;
  }
}

/** Divides the weight 1 of each example among its rows that have a label. */
function shareRows(labels: Int32Array, rows: number): Float64Array {
  const weights = new Float64Array(labels.length);
  for (let begin = 0; begin < labels.length; begin += rows) {
    const counted = labels.subarray(begin, begin + rows).filter((label) => label >= 0).length;
    weights.fill(1 / counted, begin, begin + rows);
  }
  return weights;
}
