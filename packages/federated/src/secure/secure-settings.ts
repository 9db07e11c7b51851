import { assertWholeOptions, OutOfRangeError, UsageError } from "@isthmus/core";

/** Settings on which all participants of a secure sum agree beforehand. */
export interface SecureSettings {
  /** Name of the sum, different each time: federation, round and attempt. */
  readonly session: string;
  /** Names of the clients that are invited, 2 to 255, each once. */
  readonly clients: readonly string[];
  /**
   * Number of clients that suffice to finish, and that must collude to see an update: at least 2, and more
   * than half, so that no two groups can each finish with another set of updates.
   */
  readonly threshold: number;
  /** Number of elements of an update. */
  readonly elements: number;
  /** Elements are cut to `[-range, range]`, above 0. */
  readonly range: number;
  /** Number of examples from which on a client counts in full, at least 1. */
  readonly examplesCap: number;
}

/** Modulus of the sums of words. */
export const MODULUS: number = 2 ** 32;
/** Number of words behind the elements: the number of examples, and whether the update was not clipped. */
export const COUNT_WORDS = 2;
/** Largest number of participants of the secret sharing, whose field has 256 elements. */
const MOST_CLIENTS = 255;

/**
 * Returns the largest size of a word, such that a sum over all clients is below half of the modulus and its
 * sign can be determined: 2^31 / clients, 8 million steps or more between 0 and the range. One level is left
 * for rounding up.
 */
export function levelsOf({ clients }: Pick<SecureSettings, "clients">): number {
  return Math.floor((MODULUS / 2 - 1) / clients.length) - 1;
}

/** Returns the number of words of a masked update. */
export function wordsOf({ elements }: Pick<SecureSettings, "elements">): number {
  return elements + COUNT_WORDS;
}

/**
 * Checks the settings of a secure sum, so that no sum can overflow and no update can be singled out.
 * @throws UsageError if names are missing or not unique
 * @throws OutOfRangeError if a number is out of its range
 */
export function assertSecureSettings(settings: SecureSettings): void {
  const { session, clients, threshold, elements, range, examplesCap } = settings;
  const attempt = `Cannot sum updates securely`;
  if (session === "")
    throw new UsageError(`${attempt} as the session must have a name, another one each time`);
  if (new Set(clients).size < clients.length || clients.includes("")) {
    throw new UsageError(`${attempt} as each of the ${clients.length} clients must have a name of its own`);
  }
  if (clients.length < 2 || clients.length > MOST_CLIENTS) {
    throw new OutOfRangeError(
      `${attempt} of ${clients.length} clients as there must be 2 to ${MOST_CLIENTS}: sum groups of them, one after another`,
    );
  }
  assertWholeOptions("sum updates securely", { elements, examplesCap }, { elements: 1, examplesCap: 1 });
  const least = Math.floor(clients.length / 2) + 1;
  if (!(Number.isSafeInteger(threshold) && threshold >= least && threshold <= clients.length)) {
    throw new OutOfRangeError(
      `${attempt} as "threshold" must be a whole number of more than half of the ${clients.length} clients, so that no ` +
        `two groups can finish apart: it is ${threshold}, not in [${least}, ${clients.length}]`,
    );
  }
  if (!(Number.isFinite(range) && range > 0)) {
    throw new OutOfRangeError(`${attempt} as "range" must be a finite number above 0: it is ${range}`);
  }
  if (examplesCap * clients.length >= MODULUS) {
    throw new OutOfRangeError(
      `${attempt} as examples of all clients must sum to less than 2^32: ${clients.length} clients may have ` +
        `${examplesCap} each; lower "examplesCap"`,
    );
  }
}
