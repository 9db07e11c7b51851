import type { ByteSource } from "../../io/byte-source.ts";
import { formatErrors } from "../format-errors.ts";

export const hdf5Error: ReturnType<typeof formatErrors> = formatErrors("hdf5");

/** Widths in bytes that two bits of flags choose between. */
export const WIDTHS = [1, 2, 4, 8] as const;

/** Address of an object that is not there: all bits are set. */
const UNDEFINED = 0xffff_ffff_ffff_ffffn;

/** Little-endian numbers in bytes of a file, never beyond their end. */
export class Hdf5Bytes {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #name: string;

  constructor(bytes: Uint8Array, name: string) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#name = name;
  }

  /** Reads an unsigned integer of 1, 2, 4 or 8 bytes; one beyond 2^53 is rounded, as it exceeds any file. */
  number(at: number, width: 1 | 2 | 4 | 8): number {
    if (at + width > this.bytes.length)
      throw hdf5Error(
        this.#name,
        `it must hold what it claims: a structure of ${this.bytes.length} bytes claims byte ${at + width}`,
      );
    if (width === 8) return Number(this.#view.getBigUint64(at, true));
    if (width === 4) return this.#view.getUint32(at, true);
    return width === 2 ? this.#view.getUint16(at, true) : this.#view.getUint8(at);
  }

  /** Reads the address of an object; undefined if there is none. */
  address(at: number): number | undefined {
    const value = this.number(at, 8);
    return this.#view.getBigUint64(at, true) === UNDEFINED ? undefined : value;
  }

  /** Reads text up to a byte of 0, or of a given number of bytes. */
  text(at: number, length?: number): string {
    const end = length === undefined ? this.bytes.indexOf(0, at) : at + length;
    if (end < at || end > this.bytes.length)
      throw hdf5Error(this.#name, `its names must end: one from byte ${at} of ${this.bytes.length} does not`);
    return new TextDecoder().decode(this.bytes.subarray(at, end));
  }

  /** Checks for a signature of four letters. */
  expect(at: number, signature: string): void {
    const start = this.text(at, Math.min(4, Math.max(0, this.bytes.length - at)));
    if (start !== signature)
      throw hdf5Error(this.#name, `it must be HDF5: a structure must begin with ${signature}, and does not`);
  }
}

/**
 * Reads structures of an HDF5 file, and counts them, so that a small file that leads back to itself takes
 * little time.
 */
export class Hdf5File {
  readonly source: ByteSource;
  #left: number;

  constructor(source: ByteSource) {
    this.source = source;
    // Each object of a real file takes a structure of at least 40 bytes or so.
    this.#left = 100 + source.size / 16;
  }

  /**
   * Reads bytes from an address on.
   * @throws FormatError if they are not within the file, or too many were read
   */
  async read(address: number, length: number): Promise<Hdf5Bytes> {
    this.#left -= 1 + length / 1024;
    if (this.#left < 0)
      throw hdf5Error(this.source, "each structure must be reached once: groups lead back to themselves");
    if (address + length > this.source.size)
      throw hdf5Error(
        this.source,
        `its structures must be within its ${this.source.size} bytes: one is at ${address}, of ${length} bytes`,
      );
    return new Hdf5Bytes(await this.source.read(address, address + length), this.source.name);
  }
}
