import { at, UnsupportedError } from "@isthmus/core";
import { parquetError } from "./parquet-error.ts";
import type { PhysicalType } from "./read-footer.ts";

/** Values that are stored one after the other. */
export interface PlainValues {
  /** Number of values. */
  readonly count: number;
  /** Returns the value at a place, from 0. */
  valueAt(place: number): number | Uint8Array;
}

/** Bytes of a number by its type; other types have no supported numbers. */
const WIDTHS: Partial<Readonly<Record<PhysicalType, number>>> = { int32: 4, int64: 8, float: 4, double: 8 };

/**
 * Decodes values that are stored one after the other; bytes share memory with the page.
 * @param request - type and number of values, and the name of the file for messages
 * @throws FormatError if there are fewer values than claimed
 * @throws UnsupportedError if the values have another type
 */
export function decodePlain(
  page: Uint8Array,
  { type, count, source }: { readonly type: PhysicalType; readonly count: number; readonly source: string },
): PlainValues {
  const view = new DataView(page.buffer, page.byteOffset, page.length);
  if (type === "bytes") return { count, valueAt: findStrings(page, view, { count, source }) };
  const width = type === "boolean" ? 1 / 8 : WIDTHS[type];
  if (width === undefined) {
    throw new UnsupportedError(
      `Cannot read "${source}" as numbers and bytes are handled: values are ${type}`,
      {
        feature: `parquet type ${type}`,
      },
    );
  }
  assertRoom(page, count * width, { count, source });
  return { count, valueAt: (place) => readNumber(view, type, place) };
}

function readNumber(view: DataView, type: PhysicalType, place: number): number {
  switch (type) {
    case "boolean":
      return (view.getUint8(place >> 3) >> (place & 7)) & 1;
    case "int32":
      return view.getInt32(4 * place, true);
    case "int64":
      return Number(view.getBigInt64(8 * place, true));
    case "float":
      return view.getFloat32(4 * place, true);
    default:
      return view.getFloat64(8 * place, true);
  }
}

/** Finds the positions of strings, each of which is preceded by its length. */
function findStrings(
  page: Uint8Array,
  view: DataView,
  { count, source }: { readonly count: number; readonly source: string },
): (place: number) => Uint8Array {
  assertRoom(page, 4 * count, { count, source });
  const begins = new Float64Array(count + 1);
  let offset = 0;
  for (let i = 0; i < count; i++) {
    const end = offset + 4 + (offset + 4 <= page.length ? view.getUint32(offset, true) : 0);
    if (end > page.length) {
      throw parquetError(
        source,
        `its values must fit their page of ${page.length} bytes: one claims to end at ${end}`,
      );
    }
    begins[i] = offset;
    offset = end;
  }
  begins[count] = offset;
  return (place) => page.subarray(at(begins, place, "value") + 4, at(begins, place + 1, "value"));
}

function assertRoom(
  page: Uint8Array,
  bytes: number,
  { count, source }: { readonly count: number; readonly source: string },
): void {
  if (count >= 0 && bytes <= page.length) return;
  throw parquetError(
    source,
    `${count} values must fit their page of ${page.length} bytes: they take ${bytes}`,
  );
}
