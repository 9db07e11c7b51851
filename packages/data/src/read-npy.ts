import { decodeNpy, type Tensor } from "@isthmus/core";
import { readDataFile } from "./read-data-file.ts";

/**
 * Reads a `.npy` file of NumPy, versions 1 to 3, in C or Fortran order and either byte order.
 * @throws InputError if the file does not exist or cannot be read
 * @throws FormatError if the file is not a `.npy` file, or its length does not match its header
 * @throws UnsupportedError if elements are not numbers or booleans: objects are never unpickled
 */
export async function readNpy(path: string): Promise<Tensor> {
  return decodeNpy(await readDataFile(path), path);
}
