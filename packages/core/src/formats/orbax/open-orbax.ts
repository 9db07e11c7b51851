import { join, readdir } from "@isthmus/platform";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { InputError } from "../../errors.ts";
import { MAX_NESTING } from "../../io/limits.ts";
import { nestByPath } from "../nest-by-path.ts";
import { defineJoinedCheckpoint, type JoinedTensor } from "../pieces/define-joined-checkpoint.ts";
import { isOrbaxTree, OCDBT_MANIFEST, ORBAX_TREE } from "../run-file-names.ts";
import { collectLeaves } from "../torch/collect-tensors.ts";
import { openDatabase, openFolders, type ValueStore } from "./open-store.ts";
import { ChunkReader } from "./read-chunks.ts";
import { type OrbaxTree, orbaxError, readTree } from "./read-tree.ts";
import { parseZarrArray, ZARR_FILES, type ZarrArray, zarrError } from "./zarr-array.ts";

/** Longest description of an array, in bytes. */
const MAX_DESCRIPTION_BYTES = 2 ** 20;

/**
 * Opens a folder in which Orbax stored the state of a run of JAX: a tree of arrays of Zarr, in one database
 * of OCDBT or in a folder each. Names are the keys on the path to an array, joined by dots; the state of an
 * optimizer is left out if weights are beside it.
 * A step of Orbax's `CheckpointManager` is opened if one of its items is a tree.
 *
 * Arrays are read chunk by chunk: plain ones by range, packed ones as a whole, of which the last are kept.
 * @throws InputError if a chunk or a data file is missing, or several items are trees
 * @throws FormatError if a file is damaged, or claims more than there is
 * @throws UnsupportedError if arrays are packed or stored in a way that is not handled
 */
export async function openOrbax(
  folder: string,
  names: readonly string[],
  openOther: (folder: string) => Promise<Checkpoint>,
): Promise<Checkpoint> {
  if (!isOrbaxTree(names)) return openOther(await findItem(folder, names));
  const isDatabase = names.includes(OCDBT_MANIFEST);
  if (!isDatabase && names.some((name) => name.startsWith("ocdbt.process_")))
    throw new InputError(
      `Cannot open "${folder}" as "${OCDBT_MANIFEST}" must join the databases of all processes: it is missing, so the save was interrupted`,
      { input: folder },
    );
  const store = isDatabase ? await openDatabase(folder) : await openFolders(folder, names);
  try {
    const hasTree = names.includes(ORBAX_TREE);
    const tree = hasTree ? await readTree(folder) : treeOf(store.arrays);
    const tensors = await readArrays(folder, tree, store);
    const { close } = store;
    const files = [...(hasTree ? [join(folder, ORBAX_TREE)] : []), ...store.files()];
    return defineJoinedCheckpoint({ format: "orbax", source: folder, tensors, files, close });
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Finds the only item of a step that is a tree; others hold the state of a data set, or numbers. */
async function findItem(folder: string, names: readonly string[]): Promise<string> {
  const items: string[] = [];
  for (const name of names) {
    const path = join(folder, name);
    if (isOrbaxTree(await readdir(path).catch(() => []))) items.push(path);
  }
  const [only, ...others] = items;
  if (only !== undefined && others.length === 0) return only;
  const [rule, found] =
    only === undefined
      ? ["hold a tree of arrays", "it holds none; the save may have been interrupted"]
      : [
          "hold one tree of arrays",
          `it holds ${items.map((item) => `"${item}"`).join(", ")}; name one of them`,
        ];
  throw new InputError(`Cannot open "${folder}" as a step of Orbax must ${rule}: ${found}`, {
    input: folder,
  });
}

/** Makes a tree of the names of arrays, for checkpoints of Orbax from before it described them. */
function treeOf(names: readonly string[]): OrbaxTree {
  return { paths: names.map((name) => name.split(".")), isComplete: false };
}

/** An array of a tree, and its name in the store. */
class StoredArray {
  readonly name: string;
  readonly array: ZarrArray;
  constructor(name: string, array: ZarrArray) {
    this.name = name;
    this.array = array;
  }
}

async function readArrays(
  folder: string,
  { paths, isComplete }: OrbaxTree,
  store: ValueStore,
): Promise<ReadonlyMap<string, JoinedTensor>> {
  const leaves: (readonly [path: readonly string[], leaf: StoredArray])[] = [];
  for (const path of paths) {
    if (path.length > MAX_NESTING)
      throw orbaxError(
        folder,
        `trees may be nested ${MAX_NESTING} deep: one array is at level ${path.length}`,
      );
    const name = path.join(".");
    leaves.push([path, new StoredArray(name, await describe(folder, name, store))]);
  }
  const isArray = (value: unknown): value is StoredArray => value instanceof StoredArray;
  const reader = new ChunkReader(folder, store.find, isComplete);
  const tensors = new Map<string, JoinedTensor>();
  for (const [name, leaf] of collectLeaves(nestByPath(leaves), folder, isArray)) {
    const { dtype, shape } = leaf.array;
    tensors.set(name, { dtype, shape, pieces: await reader.pieces(leaf.name, leaf.array) });
  }
  return tensors;
}

/** Reads the description of an array, of either version of Zarr. */
async function describe(folder: string, name: string, store: ValueStore): Promise<ZarrArray> {
  for (const file of ZARR_FILES) {
    const source = await store.find(`${name}/${file}`);
    if (source === undefined) continue;
    if (source.size > MAX_DESCRIPTION_BYTES)
      throw zarrError(source, `it may have ${MAX_DESCRIPTION_BYTES} bytes: it has ${source.size}`);
    return parseZarrArray(await source.read(0, source.size), source.name);
  }
  const path = join(folder, name);
  throw new InputError(`Cannot open "${path}" as each array of the tree must be there: it is missing`, {
    input: path,
  });
}
