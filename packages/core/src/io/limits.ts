/** Largest safetensors header, in bytes: the cap of the reference implementation; real ones stay below 10 MB. */
export const MAX_HEADER_BYTES: number = 100_000_000;

/** Largest `*.index.json`, in bytes: a name and a file for each tensor, so of the order of a header. */
export const MAX_INDEX_BYTES: number = 100_000_000;

/** Most tensors in one checkpoint: far above the largest published ones (about 100,000), so that maps stay small. */
export const MAX_TENSORS: number = 4_000_000;

/** Most axes of one tensor: PyTorch allows 64. */
export const MAX_RANK: number = 64;

/** Most files one checkpoint may be spread over: each is kept open, and systems allow few thousand. */
export const MAX_SHARDS: number = 1_000;

/** Most bytes asked of the operating system at once: `read` on Linux and macOS stops just below 2 GiB. */
export const MAX_READ_BYTES: number = 2 ** 30;
