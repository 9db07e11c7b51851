import type { FileFormat } from "../../packages/core/src/formats/file-formats.ts";
import type { Described } from "./lists.ts";

/** Formats of files, without the archives that hold files of two of them. */
type ListedFormat =
  | Exclude<FileFormat, "zip">
  | "torch-zip"
  | "npz"
  | "index"
  | "folder"
  | "hub"
  | "dcp"
  | "ranks"
  | "layers-model";

const RUNS = "packages/core/src/formats/training-runs.test.ts";

/** Forms of files and folders that are opened as checkpoints. */
export const CHECKPOINT_FORMATS: Readonly<Record<ListedFormat, Described>> = {
  safetensors: ["packages/core/src/formats/safetensors/open-safetensors.test.ts", "one safetensors file"],
  index: ["packages/core/src/open-checkpoint.test.ts", "the index of several safetensors files"],
  folder: ["packages/core/src/open-checkpoint.test.ts", "a folder of safetensors files, such as a model's"],
  "torch-zip": ["packages/core/src/formats/torch/open-torch.test.ts", "a file of `torch.save`"],
  "torch-legacy": [
    "packages/core/src/formats/torch/open-torch.test.ts",
    "a file of `torch.save` before PyTorch 1.6",
  ],
  npz: ["packages/core/src/formats/file-formats.test.ts", "arrays of NumPy, compressed or not"],
  gguf: [
    "packages/core/src/formats/file-formats.test.ts",
    "a GGUF file: floats, integers, and blocks of Q4 to Q8, Q2_K to Q6_K, IQ1 to IQ4, TQ, MXFP4, NVFP4",
  ],
  onnx: [
    "packages/core/src/formats/file-formats.test.ts",
    "the initializers of an ONNX model, and files of external data beside it",
  ],
  flax: [RUNS, "a `flax_model.msgpack` of Flax"],
  hdf5: [RUNS, "a `.keras` or `.weights.h5` of Keras 3"],
  dcp: [RUNS, "a folder of `torch.distributed.checkpoint`: chunks of tensors, also as safetensors"],
  ranks: [RUNS, "a folder of DeepSpeed ZeRO or Megatron-LM: a file for each process"],
  hub: [
    "packages/core/src/io/hub-cache.test.ts",
    "`hub:owner/model` or `hub:owner/model@revision` in the cache of the Hugging Face hub, or fetched by `--download`",
  ],
  "layers-model": [
    "packages/core/src/formats/layers-model/open-layers-model.test.ts",
    "a `model.json` of TensorFlow.js with its weights",
  ],
};
