import { gunzip, inflate, type UnpackOptions, unpackZstd } from "@isthmus/platform";
import { messageOf } from "../../io/system-error.ts";
import type { formatErrors } from "../format-errors.ts";

/** Packings that are undone, in the names of Zarr. */
export type Packing = "zstd" | "gzip" | "zlib";

const UNPACK: Readonly<
  Record<Packing, (packed: Uint8Array, options: UnpackOptions) => Uint8Array | Promise<Uint8Array>>
> = { zstd: unpackZstd, gzip: gunzip, zlib: inflate };

/** Limits of what may be unpacked. */
export interface UnpackLimits {
  /** Name of the file, for messages. */
  readonly name: string;
  /** Makes errors of the format of the file. */
  readonly fail: ReturnType<typeof formatErrors>;
  /** Most bytes that may come out. */
  readonly most: number;
}

/**
 * Unpacks bytes, and takes no memory beyond what may come out.
 * @throws FormatError if the bytes are damaged or cut, state another size than they have, or exceed the limit
 */
export async function unpackBytes(
  way: Packing,
  packed: Uint8Array,
  { name, fail, most }: UnpackLimits,
): Promise<Uint8Array> {
  try {
    return await UNPACK[way](packed, { maxOutputLength: Math.max(1, most) });
  } catch (cause) {
    throw fail(
      name,
      `${packed.length} bytes that ${way} packed must be intact, and become at most ${most}: ${messageOf(cause)}`,
    );
  }
}
