import type { Dice } from "./dice.ts";

/** What a reader is given: files by name, which are written into one folder. */
export type FuzzInput = Readonly<Record<string, string | Uint8Array>>;

/** A reader, and how to make files that it might trip over. */
export interface FuzzTarget {
  readonly name: string;
  /** Makes files that are as they should be, from which others are made: they must be read. */
  valid(): Iterable<FuzzInput>;
  /**
   * Makes files that are known to be dangerous: deep, contradictory, or far larger once read. They come
   * first.
   */
  bombs(): Iterable<FuzzInput>;
  /** Makes an input, mostly a valid one with something changed. */
  make(dice: Dice): FuzzInput;
  /**
   * Reads an input as a user would.
   * @param folder - that the files of the input are in
   * @throws whatever the reader throws; an error of our own is what should happen to a damaged file
   */
  read(folder: string): Promise<void>;
}
