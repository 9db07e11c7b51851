import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { type ByteSource, createBytesSource } from "../../io/byte-source.ts";
import { MAX_INFLATED_BYTES } from "../../io/limits.ts";
import { sliceSource } from "../../io/slice-source.ts";
import type { ZipEntry } from "../zip/zip-directory.ts";
import { unpackEntry } from "../zip/zip-entry.ts";
import { hdf5Error } from "./hdf5-bytes.ts";
import { openHdf5 } from "./open-hdf5.ts";

/**
 * Opens a file `.keras` of Keras 3: a zip archive with a description of the model, which is not read, and its
 * weights in HDF5.
 *
 * The weights are read by range where they lie in the archive, as Keras stores them; weights that are
 * compressed are unpacked into memory. The checkpoint owns `source` and closes it; on failure the caller must
 * close it.
 * @param files - paths to report as read
 * @param entry - the file of weights in the archive
 * @throws FormatError if the archive or the weights are damaged
 */
export async function openKeras(
  source: ByteSource,
  files: readonly string[],
  entry: ZipEntry,
): Promise<Checkpoint> {
  const name = `${source.name}: ${entry.name}`;
  if (!entry.stored && entry.size > MAX_INFLATED_BYTES)
    throw hdf5Error(
      source,
      `compressed weights may have at most ${MAX_INFLATED_BYTES} bytes: they have ${entry.size}`,
    );
  const weights = entry.stored
    ? sliceSource(source, await entry.locate(), entry.size, name)
    : createBytesSource(await unpackEntry(entry, source), name);
  return openHdf5({ ...weights, close: () => source.close() }, files);
}
