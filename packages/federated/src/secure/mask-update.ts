import { assertWholeOptions, OutOfRangeError } from "@isthmus/core";
import { addMasksInPlace } from "./masks.ts";
import type { MaskedMessage } from "./messages.ts";
import { quantizeInto } from "./quantize.ts";
import { masksOf, type SecureClientState, secretOf } from "./secure-client.ts";
import { COUNT_WORDS, wordsOf } from "./secure-settings.ts";

/** A client's update as it goes into a secure sum. */
export interface SecureUpdate {
  /** Number of examples, at least 1; a number above `examplesCap` counts as the cap. */
  readonly examples: number;
  /** Weight of `clipWeights` for the displacement, in `(0, 1]`. @defaultValue 1, not clipped */
  readonly clipWeight?: number | undefined;
  /**
   * Fills `out` with elements `[begin, begin + out.length)` of the displacement, of all tensors one after
   * another.
   */
  readInto(begin: number, out: Float64Array): void | Promise<void>;
  /** Stores words `[begin, begin + words.length)` of the masked update; `words` is reused afterwards. */
  write(begin: number, words: Uint32Array): void | Promise<void>;
}

/** The message to send, and the number of elements that were cut. */
export interface MaskUpdateResult {
  /** Message to the server that all words are written. */
  readonly message: MaskedMessage;
  /** Number of elements that were outside of the range, and were cut to the range. */
  readonly cut: number;
}

/** Number of elements that are read, rounded and masked at a time: memory does not grow with the update. */
const CHUNK_ELEMENTS = 1 << 16;

/**
 * Hides a client's update, range by range: rounded to whole levels, weighted by examples, and masked, with
 * two counts behind it that are masked alike. The words that are written reveal nothing by themselves.
 * @throws UsageError if the client does not have the shares of others yet
 * @throws OutOfRangeError if a number is out of its range
 * @throws InputError if an element is not a finite number
 */
export async function maskUpdate(state: SecureClientState, update: SecureUpdate): Promise<MaskUpdateResult> {
  const { settings, client } = state;
  const { examples, clipWeight = 1 } = update;
  assertWholeOptions("mask an update", { examples }, { examples: 1 });
  if (!(clipWeight > 0 && clipWeight <= 1)) {
    throw new OutOfRangeError(
      `Cannot mask an update as "clipWeight" must be above 0 and at most 1: it is ${clipWeight}`,
    );
  }
  const masks = masksOf(state);
  const quantization = { ...settings, examples, clipWeight, key: secretOf(state, "rounding") };
  let cut = 0;
  for (let begin = 0; begin < settings.elements; begin += CHUNK_ELEMENTS) {
    const count = Math.min(CHUNK_ELEMENTS, settings.elements - begin);
    const values = new Float64Array(count);
    await update.readInto(begin, values);
    const words = new Uint32Array(count);
    cut += quantizeInto(quantization, begin, values, words);
    await update.write(begin, addMasksInPlace(masks, begin, words));
  }
  const counts = new Uint32Array(COUNT_WORDS);
  counts.set([Math.min(examples, settings.examplesCap), Number(clipWeight === 1)]);
  await update.write(settings.elements, addMasksInPlace(masks, settings.elements, counts));
  return { message: { kind: "masked", session: settings.session, client, words: wordsOf(settings) }, cut };
}
