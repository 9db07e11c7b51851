import { at, MismatchError } from "@isthmus/core";
import type { Alignment } from "../alignment.ts";
import { assertAlignment } from "../assert-alignment.ts";
import { completeUnits } from "../complete-units.ts";
import type { Symmetry, SymmetrySpec } from "../spec.ts";
import { fingerprintSpec } from "./encode-spec.ts";
import { JsonReader } from "./json-reader.ts";

/** An alignment as JSON. */
export interface EncodedAlignment {
  /** Mark by which a reader tells the format of the file. */
  readonly format: "isthmus-alignment";
  /** Version of the format. */
  readonly version: 1;
  /** Fingerprint of the specification it belongs to. */
  readonly symmetries: string;
  /**
   * Unit that takes each place, by symmetry: numbers within the cell, `[size]`, or `[cells][size]` for a
   * nested symmetry, whose source cells follow from the parents.
   */
  readonly permutations: Readonly<Record<string, readonly number[] | readonly (readonly number[])[]>>;
}

/**
 * Turns an alignment into JSON that people can read: one list for each symmetry, by name.
 * @throws MismatchError if it is not an alignment of this specification
 */
export function encodeAlignment(spec: SymmetrySpec, alignment: Alignment): EncodedAlignment {
  assertAlignment(spec, alignment);
  const permutations: Record<string, number[] | number[][]> = {};
  for (const symmetry of spec.symmetries) {
    const { name, cells } = symmetry;
    const lists = cells.map((_, cell) => localOrder(symmetry, cell, alignment));
    permutations[name] = isPlain(symmetry) ? at(lists, 0, "cell") : lists;
  }
  return { format: "isthmus-alignment", version: 1, symmetries: fingerprintSpec(spec), permutations };
}

function isPlain({ cells }: Symmetry): boolean {
  return at(cells, 0, "cell").length === 0;
}

function localOrder({ firstUnit, size }: Symmetry, cell: number, { source }: Alignment): number[] {
  const first = firstUnit + cell * size;
  return Array.from(source.subarray(first, first + size), (unit) => (unit - firstUnit) % size);
}

/**
 * Reads an alignment from parsed JSON.
 * @throws FormatError if it is not an alignment; the message names the place
 * @throws MismatchError if it belongs to another specification
 */
export function decodeAlignment(spec: SymmetrySpec, json: unknown): Alignment {
  const reader = new JsonReader("alignment", json);
  reader.entries(["format", "version", "symmetries", "permutations"]);
  reader.member("format").oneOf("isthmus-alignment");
  reader.member("version").oneOf(1);
  const fingerprint = reader.member("symmetries").text();
  const expected = fingerprintSpec(spec);
  if (fingerprint !== expected) {
    throw new MismatchError(
      `Cannot use an alignment as it must be of the same symmetries: it was made for ${fingerprint}, these are ${expected}`,
      { parameters: [] },
    );
  }
  const permutations = reader.member("permutations");
  permutations.entries(spec.symmetries.map(({ name }) => name));
  return completeUnits(spec, (symmetry, cell) => {
    const list = permutations.member(symmetry.name);
    const lists = isPlain(symmetry) ? [list] : list.items();
    if (lists.length !== symmetry.cells.length)
      list.fail(`a list for each of ${symmetry.cells.length} cells`);
    return decodeOrder(at(lists, cell, "cell"), symmetry.size);
  });
}

function decodeOrder(reader: JsonReader, size: number): Int32Array {
  const order = Int32Array.from(reader.items(), (item) => item.whole(0, size - 1));
  if (order.length !== size || new Set(order).size !== size) {
    reader.fail(`the numbers from 0 to ${size - 1}, each once`);
  }
  return order;
}
