/** Random access to bytes: a file, or an array in memory. */
export interface ByteSource {
  /** Name for messages. */
  readonly name: string;
  /** Number of bytes. */
  readonly size: number;
  /**
   * Reads bytes `[begin, end)`.
   * @throws FormatError if the range is not within the source.
   */
  read(begin: number, end: number): Promise<Uint8Array>;
  /** Releases the file; reading afterwards fails. */
  close(): Promise<void>;
}
