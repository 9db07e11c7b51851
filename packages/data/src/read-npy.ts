import { decodeNpy, type Tensor } from "@isthmus/core";
import { readDataFile } from "./read-data-file.ts";

/**
 * Reads a `.npy` file of NumPy, versions 1 to 3, in C or Fortran order and either byte order.
 * @throws InputError if there is no such file or it cannot be read
 * @throws FormatError if it is not a `.npy` file, or its length does not match its header
 * @throws UnsupportedError if elements are not numbers or booleans: objects are never unpickled
 */
export async function readNpy(path: string): Promise<Tensor> {
  return decodeNpy(await readDataFile(path), path);
}
