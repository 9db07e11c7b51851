/**
 * Largest safetensors header, in bytes, as in the reference
 * implementation; real headers have less than 10 MB.
 */
export const MAX_HEADER_BYTES: number = 100_000_000;

/**
 * Largest `*.index.json`, in bytes: it names each tensor and its file, so its size is similar to that of a
 * header.
 */
export const MAX_INDEX_BYTES: number = 100_000_000;

/** Largest JSON file of any other kind, in bytes: a result, an alignment, a config. */
export const MAX_JSON_BYTES: number = 2 ** 28;

/** Largest text file that is read as a string, in bytes: a description of a study has a few thousand. */
export const MAX_TEXT_BYTES: number = 2 ** 20;

/**
 * Maximum number of tensors in one checkpoint: the largest published ones have about 100,000, and maps must
 * stay small.
 */
export const MAX_TENSORS: number = 4_000_000;

/** Maximum number of axes of one tensor: PyTorch allows 64. */
export const MAX_RANK: number = 64;

/**
 * Maximum number of files of one checkpoint: all are open at once, and systems allow a few thousand open
 * files.
 */
export const MAX_SHARDS: number = 1_000;

/**
 * Maximum number of bytes that are requested from the operating system at once: `read` on Linux and macOS
 * stops just below 2 GiB.
 */
export const MAX_READ_BYTES: number = 2 ** 30;

/** Largest pickle, in bytes: it contains names and shapes, never weights; about 200 bytes a tensor. */
export const MAX_PICKLE_BYTES: number = 64 * 2 ** 20;

/**
 * Maximum number of steps of a pickle: about 80 a tensor; each may take 50 bytes, so this also bounds memory.
 */
export const MAX_PICKLE_STEPS: number = 12_000_000;

/**
 * Longest integer in a pickle, in bytes: the longest that PyTorch writes is its magic number, of 10 bytes.
 */
export const MAX_PICKLE_INTEGER_BYTES: number = 16;

/**
 * Maximum nesting of containers that are searched for tensors; it also ends the search of a container within
 * itself.
 */
export const MAX_NESTING: number = 64;

/**
 * Maximum number of entries of containers that are searched for tensors: shared containers count each time
 * they occur.
 */
export const MAX_SEARCHED_ENTRIES: number = 10_000_000;

/** Maximum number of entries of a zip archive: one for each tensor, and a handful more. */
export const MAX_ZIP_ENTRIES: number = 1_000_000;

/**
 * Largest tensor, in bytes, that may have more elements than its storage, by strides of 0 as from `expand`:
 * without a limit a file of 1 kB could claim any size. Other tensors are as large as their bytes in the file.
 */
export const MAX_EXPANDED_BYTES: number = 256 * 2 ** 20;

/** Maximum number of bytes to which deflate can expand one byte: archives that claim more are damaged. */
export const MAX_INFLATION: number = 1032;

/** Maximum unpacked size of a compressed array in bytes: an array is unpacked in one piece. */
export const MAX_INFLATED_BYTES: number = 2 ** 31 - 1;
