/** File of a distributed checkpoint of PyTorch that says where each tensor's chunks are. */
export const DCP_METADATA = ".metadata";

/** Pattern of the files with chunks of a distributed checkpoint of PyTorch. */
export const DCP_CHUNKS: RegExp = /\.distcp$/;

/**
 * Pattern of the files that processes write by PyTorch's `HuggingFaceStorageWriter`: number of the process.
 */
export const SHARD_OF_PROCESS: RegExp = /^shard-(\d+)-model-\d+-of-\d+\.safetensors$/;

/** Pattern of the files with the state of the optimizer of one process of DeepSpeed. */
export const OPTIMIZER_FILE: RegExp = /_optim_states\.pt$/;

/** Pattern of the files of processes that verl writes: number of processes, number of this one. */
export const MODEL_OF_RANK: RegExp = /^model_world_size_(\d{1,6})_rank_(\d{1,6})\.pt$/;

/**
 * Pattern of the folders of processes of Megatron-LM: number of the slice of tensors, and of the stage of the
 * pipeline.
 */
export const MEGATRON_RANK: RegExp = /^mp_rank_(\d{2})(?:_(\d{3}))?$/;

/** File of weights in an archive that Keras 3 saved. */
export const KERAS_WEIGHTS = "model.weights.h5";

/** File of Orbax that describes the tree of values in its folder. */
export const ORBAX_TREE = "_METADATA";

/** File of Orbax in the folder of a step, whose items are in folders of their own. */
const ORBAX_ITEM = "_CHECKPOINT_METADATA";

/** File with the latest versions of a database of OCDBT. */
export const OCDBT_MANIFEST = "manifest.ocdbt";

/** Checks by the names in it whether Orbax wrote a tree of values into a folder. */
export function isOrbaxTree(names: readonly string[]): boolean {
  return names.includes(ORBAX_TREE) || names.includes(OCDBT_MANIFEST);
}

/** Checks by the names in it whether Orbax wrote a folder: a tree of values, or a step with such an item. */
export function isOrbax(names: readonly string[]): boolean {
  return isOrbaxTree(names) || names.includes(ORBAX_ITEM);
}
