import { at, type ByteSource, entry, FormatError } from "@isthmus/core";
import { addInPlace, addMasksInPlace } from "./masks.ts";
import { dequantizeInto } from "./quantize.ts";
import type { SecureServerState } from "./secure-server.ts";
import { COUNT_WORDS, type SecureSettings, wordsOf } from "./secure-settings.ts";
import { recoverMasks } from "./unmask.ts";

/** Result of a secure sum, which is all that a server learns of the updates. */
export interface SecureSum {
  /** Names of the clients whose updates are in the sum. */
  readonly clients: readonly string[];
  /** Sum of their examples, each capped. */
  readonly examples: number;
  /**
   * Sum of their weights `min(examples / examplesCap, 1)`: the sum of displacements divided by this is their
   * mean.
   */
  readonly weight: number;
  /** Number of updates that were not clipped. */
  readonly unclipped: number;
  /**
   * Fills `out` with elements `[begin, begin + out.length)` of the weighted sum of displacements, in f64.
   * Files are read one after another, so no more than two ranges are in memory, whatever the number of
   * clients.
   */
  sumInto(begin: number, out: Float64Array): Promise<Float64Array>;
}

/**
 * Opens the sum of the survivors' masked updates, without their masks.
 * @param updates - masked update of each survivor, by name, as words of 32 bits in little-endian order
 * @throws UsageError if too few shares were revealed so far
 * @throws FormatError if an update has another length, shares are wrong, or so many clients cannot have these
 * counts, as when an update was masked for another session
 */
export async function openSecureSum(
  state: SecureServerState,
  updates: ReadonlyMap<string, ByteSource>,
): Promise<SecureSum> {
  const { settings, masked } = state;
  const masks = await recoverMasks(state);
  const sources = masked.map((client) => entry(updates, client, "masked update"));
  for (const source of sources) assertLength(settings, source);
  const wordsInto = async (begin: number, sums: Uint32Array): Promise<Uint32Array> => {
    const words = new Uint32Array(sums.length);
    sums.fill(0);
    for (const source of sources) {
      await source.readInto(4 * begin, new Uint8Array(words.buffer));
      addInPlace(sums, words, 1);
    }
    return addMasksInPlace(masks, begin, sums);
  };
  const counts = await wordsInto(settings.elements, new Uint32Array(COUNT_WORDS));
  const [examples, unclipped] = [at(counts, 0), at(counts, 1)];
  assertCounts(state, examples, unclipped);
  return {
    clients: masked,
    examples,
    weight: examples / settings.examplesCap,
    unclipped,
    async sumInto(begin, out) {
      return dequantizeInto(settings, await wordsInto(begin, new Uint32Array(out.length)), out);
    },
  };
}

function assertLength(settings: SecureSettings, { name, size }: ByteSource): void {
  const expected = 4 * wordsOf(settings);
  if (size === expected) return;
  throw new FormatError(
    `Cannot sum the masked update "${name}" as it must have ${expected} bytes: it has ${size}`,
    { format: "secure sum" },
  );
}

/** Checks that the counts are possible: wrong masks leave arbitrary words below 2^32. */
function assertCounts({ settings, masked }: SecureServerState, examples: number, unclipped: number): void {
  const { length } = masked;
  if (examples >= length && examples <= settings.examplesCap * length && unclipped <= length) return;
  throw new FormatError(
    `Cannot unmask the sum of ${length} updates as it must count ${length} to ${settings.examplesCap * length} examples ` +
      `and up to ${length} unclipped updates: it counts ${examples} and ${unclipped}; an update was damaged, or masked ` +
      "for another session",
    { format: "secure sum" },
  );
}
