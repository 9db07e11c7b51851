import { at } from "../invariant.ts";
import type { Scratch } from "../tensor/kernels/floats.ts";

/** The part of a file's interface that {@link BufferedWriter} uses. */
interface PositionalWriter {
  write(bytes: Uint8Array, position: number): Promise<void>;
}

/** Writes from several buffers in turn, so that filling one overlaps writing the others. */
export class BufferedWriter {
  readonly #slots: { readonly bytes: Uint8Array; writing: Promise<void> }[];
  readonly #file: PositionalWriter;
  readonly #onBytes: (bytes: number) => void;
  #next = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(buffers: readonly Scratch[], file: PositionalWriter, onBytes: (bytes: number) => void) {
    this.#slots = buffers.map(({ bytes }) => ({ bytes, writing: Promise.resolve() }));
    this.#file = file;
    this.#onBytes = onBytes;
  }

  /** Waits until the next buffer may be filled. */
  async nextBuffer(): Promise<Uint8Array> {
    const slot = at(this.#slots, this.#next, "buffer");
    await slot.writing;
    this.throwFailure();
    return slot.bytes;
  }

  /** Starts to write the buffer that `nextBuffer` returned last. */
  start(bytes: Uint8Array, position: number): void {
    at(this.#slots, this.#next, "buffer").writing = this.#write(bytes, position);
    this.#next = (this.#next + 1) % this.#slots.length;
  }

  /** Waits for all writes, whether they succeed or not. */
  async settle(): Promise<void> {
    for (const { writing } of this.#slots) await writing;
  }

  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Writes bytes, and stores an error for later, since nobody awaits the write yet. */
  async #write(bytes: Uint8Array, position: number): Promise<void> {
    try {
      await this.#file.write(bytes, position);
      this.#onBytes(bytes.length);
    } catch (error) {
      this.#failure ??= { error };
    }
  }
}
