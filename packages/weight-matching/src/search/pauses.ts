import { handleEvents } from "@isthmus/platform";

/** Elements that are worked on before events are handled: some ten milliseconds. */
const PAUSE_AFTER = 2 ** 23;

/** Pauses in long work without any, so that signals can stop it. */
export class Pauses {
  readonly #signal: AbortSignal | undefined;
  #elements = 0;

  /** @param signal - signal that stops the work; undefined if it is never stopped */
  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /**
   * Counts elements that are worked on next, and lets events be handled if there were many since the last
   * pause.
   * @throws the reason of the signal if it stops the work
   */
  async before(elements: number): Promise<void> {
    this.#elements += elements;
    if (this.#elements >= PAUSE_AFTER) {
      this.#elements = 0;
      await handleEvents();
    }
    this.#signal?.throwIfAborted();
  }
}
