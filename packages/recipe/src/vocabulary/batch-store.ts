import { at, createFolder, isIsthmusError, readFileBytes, saveFile } from "@isthmus/core";
import { createHash, join, readdir, rm, stat } from "@isthmus/platform";
import { canonicalJson } from "@isthmus/tasks";

/** Approximations of some tokens, as combinations of `most` shared tokens each. */
export interface TokenBatch {
  /** `[tokens, most]`: positions of shared tokens; -1 if fewer were needed. */
  readonly indices: Int32Array;
  /** `[tokens, most]`: factor of each shared token. */
  readonly factors: Float32Array;
  /** `[tokens]`: relative rest of each token. */
  readonly residuals: Float32Array;
}

/** Finished batches in the folder of a result, by which an interrupted command goes on. */
export interface BatchStore {
  /** Returns a batch that an earlier process finished; undefined if there is none of that size. */
  read(name: string, tokens: number): Promise<TokenBatch | undefined>;
  /** Keeps a batch. */
  write(name: string, batch: TokenBatch): Promise<void>;
}

/** Start of the names of batches, which are hidden files. */
const PREFIX = ".vocabulary-";

/** Sizes that decide a store. */
export interface BatchStoreOptions {
  /** Most shared tokens of an approximation. */
  readonly most: number;
  /** Number of shared tokens, below which all positions lie. */
  readonly shared: number;
  /** Paths of the files that are read; a batch counts only if none of them has changed. */
  readonly files: readonly string[];
  /** Settings that decide the approximations, as JSON. */
  readonly settings: unknown;
}

/**
 * Opens the batches in the folder of a result. Their names have a digest of all that decides them, so that
 * batches of other settings, or of files that changed since, are not read.
 */
export async function openBatchStore(folder: string, options: BatchStoreOptions): Promise<BatchStore> {
  const { most, shared, files, settings } = options;
  const states = await Promise.all(
    files.map(async (path) => {
      const { size, mtimeMs } = await stat(path);
      return { path, size, mtimeMs };
    }),
  );
  const identity = canonicalJson({ states, settings: { settings, most, shared } });
  const digest = createHash("sha256").update(identity).digest("hex").slice(0, 32);
  const pathOf = (name: string) => join(folder, `${PREFIX}${digest}-${name}.bin`);
  return {
    async read(name, tokens) {
      const bytes = await readIfThere(pathOf(name), 4 * tokens * (2 * most + 1));
      return bytes && parseBatch(bytes, { tokens, most, shared });
    },
    async write(name, { indices, factors, residuals }) {
      await createFolder(folder);
      const words = [indices, factors, residuals];
      const bytes = new Uint8Array(words.reduce((sum, { byteLength }) => sum + byteLength, 0));
      let begin = 0;
      for (const { buffer, byteOffset, byteLength } of words) {
        bytes.set(new Uint8Array(buffer, byteOffset, byteLength), begin);
        begin += byteLength;
      }
      await saveFile(pathOf(name), bytes);
    },
  };
}

/** Removes all batches from a folder. */
export async function removeBatches(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (name.startsWith(PREFIX)) await rm(join(folder, name), { force: true });
  }
}

async function readIfThere(path: string, bytes: number): Promise<Uint8Array | undefined> {
  if ((await stat(path).catch(() => undefined))?.size !== bytes) return undefined;
  try {
    return await readFileBytes(path, bytes);
  } catch (error) {
    if (isIsthmusError(error, "InputError")) return undefined;
    throw error;
  }
}

interface BatchShape {
  readonly tokens: number;
  readonly most: number;
  readonly shared: number;
}

/** Reads a batch; undefined if a number in it is not possible. */
function parseBatch(bytes: Uint8Array, { tokens, most, shared }: BatchShape): TokenBatch | undefined {
  const copy = bytes.slice().buffer;
  const count = tokens * most;
  const indices = new Int32Array(copy, 0, count);
  const factors = new Float32Array(copy, 4 * count, count);
  const residuals = new Float32Array(copy, 8 * count, tokens);
  const isPossible =
    indices.every((index) => index >= -1 && index < shared) &&
    factors.every((factor) => Number.isFinite(factor)) &&
    residuals.every((_, i) => at(residuals, i) >= 0);
  return isPossible ? { indices, factors, residuals } : undefined;
}
