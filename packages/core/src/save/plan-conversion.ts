import { basename, dirname, join } from "@isthmus/platform";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import type { GgufEncoding } from "../formats/gguf/gguf-encodings.ts";
import { ggufForm } from "../formats/gguf/gguf-form.ts";
import type { Importance } from "../formats/gguf/read-importance.ts";
import { writeGguf } from "../formats/gguf/write-gguf.ts";
import { findEarlierModel } from "../formats/layers-model/find-earlier-model.ts";
import {
  type LayersWeight,
  layersWeight,
  layOutLayersModel,
  writeLayersWeights,
} from "../formats/layers-model/write-layers-model.ts";
import { npzBytes, numpyType, writeNpz } from "../formats/npz/write-npz.ts";
import { torchBytes, writeTorch } from "../formats/torch/write-torch.ts";
import { at, entry } from "../invariant.ts";
import type { OutputFile } from "../io/output-file.ts";
import { DTYPES, type DType } from "../tensor/dtype.ts";
import type { TensorInfo } from "../tensor/tensor.ts";
import { publishingOrder } from "./file-form.ts";
import type { FileWriter } from "./file-writer.ts";
import { findEarlierFiles } from "./output-paths.ts";

/** Formats to which a checkpoint is converted; safetensors have a plan of their own. */
type ConvertedFormat = "torch" | "npz" | "gguf" | "tfjs";

/** Options that determine a conversion. */
interface ConversionOptions {
  readonly dtype: DType | GgufEncoding | undefined;
  readonly importance: Importance | undefined;
  readonly onNote: ((note: string) => void) | undefined;
  readonly metadata: Readonly<Record<string, string>> | undefined;
  readonly maxShardBytes: number;
}

/** Functions and options for writing the files of a conversion. */
interface ConversionOutput {
  readonly durable: boolean;
  /** Starts a file under a temporary name. */
  create(path: string): Promise<OutputFile>;
  /** Makes a writer that writes a file from its beginning to its end. */
  append(file: Pick<OutputFile, "write">): FileWriter;
}

/** Plan of the files to which a checkpoint is converted. */
export interface ConversionPlan {
  /** Paths of all files; the last one is the path for opening the checkpoint. */
  readonly paths: readonly string[];
  /** Files of an earlier checkpoint that would be left over, or opened instead of the new one. */
  readonly earlier: readonly string[];
  /** Approximate total size of all files in bytes. */
  readonly bytes: number;
  /** Writes and closes all files in the order of their paths. */
  readonly write: (output: ConversionOutput) => Promise<void>;
}

/** Several files that are written as one, from its beginning to its end. */
interface ShardFiles extends Pick<OutputFile, "write"> {
  /** Creates the remaining empty files, and closes the last one. */
  finish(): Promise<void>;
}

/** Options of {@link createShardFiles}. */
interface ShardFilesOptions {
  /** Paths of the files, in the order of their bytes. */
  readonly paths: readonly string[];
  /** Size of each file except the last, in bytes. */
  readonly shardBytes: number;
  /** Whether to wait until the bytes of a file are on the disk before it is closed. */
  readonly durable: boolean;
  /** Creates a file; only one file is open at a time. */
  readonly create: (path: string) => Promise<OutputFile>;
}

/**
 * Plans the files of a checkpoint in another format, without reading tensors or writing files.
 * @throws UnsupportedError if the format has no way to hold a tensor
 * @throws InputError if an existing file in the way is not a model
 */
export async function planConversion(
  checkpoint: Checkpoint,
  path: string,
  format: ConvertedFormat,
  options: ConversionOptions,
): Promise<ConversionPlan> {
  if (format === "tfjs") return planLayersModel(checkpoint, path, options);
  if (format === "gguf") return planGguf(checkpoint, path, options);
  const { bytes, write } = planArchive(checkpoint, format, options.dtype as DType | undefined);
  return {
    paths: [path],
    earlier: [],
    bytes,
    async write({ create, append, durable }) {
      const file = await create(path);
      await write(append(file));
      await file.finish(durable);
    },
  };
}

/** Size and content of a single output file. */
interface FilePlan {
  readonly bytes: number;
  readonly write: (writer: FileWriter) => Promise<void>;
}

function planArchive(checkpoint: Checkpoint, format: "torch" | "npz", dtype: DType | undefined): FilePlan {
  const tensors = new Map<string, TensorInfo>();
  for (const [name, { dtype: stored, shape }] of checkpoint.tensors) {
    const unchanged = format === "npz" ? numpyType(stored) : stored;
    tensors.set(name, { dtype: dtype !== undefined && DTYPES[stored].float ? dtype : unchanged, shape });
  }
  return format === "npz"
    ? { bytes: npzBytes(tensors), write: (writer) => writeNpz(tensors, writer) }
    : { bytes: torchBytes(tensors), write: (writer) => writeTorch(tensors, writer) };
}

async function planGguf(
  checkpoint: Checkpoint,
  path: string,
  { metadata = checkpoint.metadata, maxShardBytes, ...options }: ConversionOptions,
): Promise<ConversionPlan> {
  const form = ggufForm(options);
  const place = await form.placeOf(path);
  const files = form.layOut(checkpoint.tensors, place, { metadata, maxShardBytes });
  const paths = publishingOrder(files);
  const layouts = new Map(files.shards.map((shard) => [shard.path, shard.layout]));
  return {
    paths,
    earlier: await findEarlierFiles(place, paths, checkpoint.files),
    bytes: files.shards.reduce((sum, { layout }) => sum + layout.size, 0),
    async write({ create, append, durable }) {
      for (const shard of paths) {
        const file = await create(shard);
        await writeGguf(entry(layouts, shard, "shard"), append(file));
        await file.finish(durable);
      }
    },
  };
}

async function planLayersModel(
  checkpoint: Checkpoint,
  path: string,
  { dtype, maxShardBytes }: ConversionOptions,
): Promise<ConversionPlan> {
  const weights = new Map<string, LayersWeight>();
  for (const [name, info] of checkpoint.tensors)
    weights.set(name, layersWeight(name, info, dtype as DType | undefined));
  const stem = basename(path).replace(/\.json$/i, "");
  const { shards, shardBytes, json, bytes } = layOutLayersModel(weights, { stem, maxShardBytes });
  const paths = shards.map((shard) => join(dirname(path), shard));
  return {
    paths: [...paths, path],
    earlier: await findEarlierModel(path),
    bytes,
    async write({ create, append, durable }) {
      const files = createShardFiles({ paths, shardBytes, durable, create });
      await writeLayersWeights(weights, append(files));
      await files.finish();
      const manifest = await create(path);
      await append(manifest).append(json);
      await manifest.finish(durable);
    },
  };
}

/** Creates files among which bytes are divided in order; each file is closed when the next one begins. */
function createShardFiles({ paths, shardBytes, durable, create }: ShardFilesOptions): ShardFiles {
  let open: { readonly file: OutputFile; readonly index: number } | undefined;
  const openShard = async (index: number): Promise<OutputFile> => {
    while (open === undefined || open.index < index) {
      const next: number = open === undefined ? 0 : open.index + 1;
      await open?.file.finish(durable);
      open = { file: await create(at(paths, next, "file")), index: next };
    }
    return open.file;
  };
  return {
    async write(bytes, position) {
      for (let done = 0; done < bytes.length; ) {
        const index = Math.floor((position + done) / shardBytes);
        const begin = position + done - index * shardBytes;
        const part = bytes.subarray(done, done + shardBytes - begin);
        const file = await openShard(index);
        await file.write(part, begin);
        done += part.length;
      }
    },
    async finish() {
      const last = await openShard(paths.length - 1);
      await last.finish(durable);
    },
  };
}
