// This reader is our own as no library reads HDF5 by range and safely: jsfive (200 kB) takes the whole file
// and follows groups that lead back to themselves without end, and h5wasm is 4 MB of WebAssembly.
import { swapBytesInPlace } from "@isthmus/platform";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { defineCheckpoint } from "../../checkpoint/define-checkpoint.ts";
import { UnsupportedError } from "../../errors.ts";
import { entry } from "../../invariant.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import { MAX_NESTING } from "../../io/limits.ts";
import { DTYPES } from "../../tensor/dtype.ts";
import { viewBytes } from "../../tensor/tensor.ts";
import { collectLeaves } from "../torch/collect-tensors.ts";
import { PickleDict } from "../torch/pickle/values.ts";
import { describeDataSet, Hdf5DataSet } from "./data-set.ts";
import { isGroup, readLinks } from "./group-links.ts";
import { Hdf5File, hdf5Error } from "./hdf5-bytes.ts";
import { readMessages } from "./object-header.ts";

/** The first bytes of an HDF5 file, in Latin-1. */
export const HDF5_SIGNATURE = "\x89HDF\r\n\x1a\n";

/**
 * Opens an HDF5 file of Keras, such as `model.weights.h5`: groups of data sets, whose names are the paths to
 * them, joined by dots; the state of an optimizer is left out if weights are beside it.
 *
 * Handled is what the library h5py writes by default: numbers that are stored one after the
 * other, and are read by range. The checkpoint owns `source` and closes it; on failure the caller must close
 * it.
 * @param files - paths to report as read
 * @throws FormatError if the file is damaged, claims more than it has, or a group leads back to itself
 * @throws UnsupportedError if elements are stored in chunks, or the file has another form
 * @see https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html
 */
export async function openHdf5(source: ByteSource, files: readonly string[] = []): Promise<Checkpoint> {
  const file = new Hdf5File(source);
  const root = await readObject(file, await rootOf(file), []);
  const sets = collectLeaves(root, source.name, (one): one is Hdf5DataSet => one instanceof Hdf5DataSet);
  if (sets.size === 0) throw hdf5Error(source, "there must be data sets of numbers: there are none");
  return defineCheckpoint({
    source: source.name,
    tensors: new Map([...sets].map(([name, { dtype, shape }]) => [name, { dtype, shape }])),
    files,
    async readInto(name, from, out) {
      const { begin, dtype, bigEndian } = entry(sets, name, "data set");
      const { bytes } = DTYPES[dtype];
      const view = viewBytes(out);
      if (begin === undefined) view.fill(0);
      else await source.readInto(begin + from * bytes, view);
      if (bigEndian) swapBytesInPlace(view, bytes);
    },
    close: () => source.close(),
  });
}

/** Returns the address of the group that holds all others. */
async function rootOf(file: Hdf5File): Promise<number> {
  const head = await file.read(0, Math.min(96, file.source.size));
  const version = head.number(8, 1);
  const [widths, base, root] =
    version < 2 ? [13, version === 0 ? 24 : 28, version === 0 ? 64 : 68] : [9, 12, 36];
  if (
    version > 3 ||
    head.number(widths, 1) !== 8 ||
    head.number(widths + 1, 1) !== 8 ||
    head.number(base, 8) !== 0
  ) {
    throw new UnsupportedError(
      `Cannot read "${file.source.name}" as HDF5 files with addresses of 8 bytes from the beginning are handled, of versions 0 to 3: it is of version ${version} or has others`,
      { feature: "HDF5 superblock" },
    );
  }
  return head.number(root, 8);
}

/** Reads the object at an address: a data set, or a group with all that is in it. */
async function readObject(file: Hdf5File, address: number, path: readonly string[]): Promise<unknown> {
  if (path.length >= MAX_NESTING)
    throw hdf5Error(
      file.source,
      `groups may be nested ${MAX_NESTING} deep: there are more levels, or one leads back to itself`,
    );
  const messages = await readMessages(file, address);
  if (!isGroup(messages)) return describeDataSet(path.join("/"), messages, file);
  const group = new PickleDict();
  for (const [name, member] of await readLinks(messages, file))
    group.entries.set(name, await readObject(file, member, [...path, name]));
  return group;
}
