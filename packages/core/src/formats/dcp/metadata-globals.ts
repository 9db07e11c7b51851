import { createGlobalFinder } from "../torch/globals.ts";
import { recordClass } from "../torch/pickle/pickle-record.ts";
import type { PickleGlobal } from "../torch/pickle/values.ts";

const METADATA = "torch.distributed.checkpoint.metadata";
const SHARDED = "torch.distributed._shard.sharded_tensor.metadata";

/** Classes that the metadata of PyTorch's distributed checkpoints consist of, in all versions. */
const CLASSES: ReadonlySet<string> = new Set([
  ...[
    ...["Metadata", "TensorStorageMetadata", "BytesStorageMetadata", "ChunkStorageMetadata"],
    ...["TensorProperties", "MetadataIndex", "StorageMeta", "_MEM_FORMAT_ENCODING"],
  ].map((name) => `${METADATA}.${name}`),
  `${SHARDED}.TensorProperties`,
  `${SHARDED}.MEM_FORMAT_ENCODING`,
  "torch.distributed.checkpoint.filesystem._StorageInfo",
  "pathlib.PosixPath",
  "pathlib.WindowsPath",
  "pathlib._local.PosixPath",
  "pathlib._local.WindowsPath",
]);

/**
 * Makes the function that looks up names in the metadata of a distributed checkpoint: a list of allowed
 * classes, whose objects are records, beside all that tensors are made of.
 * @param file - name of the file, for messages
 */
export function createMetadataFinder(file: string): (module: string, name: string) => PickleGlobal {
  const find = createGlobalFinder(file);
  return (module, name) => {
    const full = `${module}.${name}`;
    return CLASSES.has(full) ? recordClass(full) : find(module, name);
  };
}
