import { FormatError, UnsupportedError } from "../../errors.ts";
import { DTYPES } from "../../tensor/dtype.ts";
import { TorchStorageClass } from "./globals.ts";
import { PickleTuple } from "./pickle/values.ts";
import type { TorchStorage } from "./tensors.ts";

/**
 * Creates the function that resolves the persistent ids of one
 * file: `("storage", class, key, location, elements)`, in the
 * old format followed by a view of another storage, or None.
 *
 * Each storage is created once, even if several tensors share it, and stored in `storages` by key.
 * @param file - name of the file, for messages
 */
export function createStorageLoader(
  file: string,
  storages: Map<string, TorchStorage>,
): (id: unknown) => TorchStorage {
  return (id) => {
    const [kind, type, key, , elements, view] = id instanceof PickleTuple ? id.items : [];
    const isCount = typeof elements === "number" && Number.isSafeInteger(elements) && elements >= 0;
    if (kind !== "storage" || !(type instanceof TorchStorageClass) || typeof key !== "string" || !isCount) {
      throw new FormatError(
        `Cannot read "${file}" as a storage must have a class, a name and a number of elements: one has not`,
        { format: "torch" },
      );
    }
    if (view !== undefined && view !== null) {
      throw new UnsupportedError(
        `Cannot read "${file}" as storages that are views of others are not handled: "${key}" is one; ` +
          "load it in PyTorch and save it again",
        { feature: "storage views" },
      );
    }
    const bytes = elements * (type.dtype === undefined ? 1 : DTYPES[type.dtype].bytes);
    const storage = storages.get(key) ?? { key, dtype: type.dtype, bytes };
    if (storage.bytes !== bytes || storage.dtype !== type.dtype) {
      throw new FormatError(
        `Cannot read "${file}" as a storage must have one type and size: "${key}" has two`,
        {
          format: "torch",
        },
      );
    }
    storages.set(key, storage);
    return storage;
  };
}
