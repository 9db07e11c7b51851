import { decodeUtf8, encodeLatin1 } from "@isthmus/platform";
import { UnsupportedError } from "../../errors.ts";
import { at } from "../../invariant.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import { MAX_INDEX_BYTES } from "../../io/limits.ts";
import { excerpt } from "../../json/excerpt.ts";
import { type OcdbtCursor, ocdbtError, openBlock } from "./ocdbt-cursor.ts";

const [MANIFEST, NODE] = [0x0cdb_3a2a, 0x0cdb_20de] as const;

/** Most values of a database: a chunk of an array and its description each are one. */
const MAX_VALUES = 4_000_000;

/** Most characters of the keys of all values. */
const MAX_KEY_CHARACTERS = 2 ** 28;

/** Bytes of a data file. */
export interface DataRange {
  /** Path of the file within the database, with slashes. */
  readonly file: string;
  /** Part of the path that is put before the paths of files to which a node in these bytes refers. */
  readonly base: string;
  /** Position of the first byte in the file. */
  readonly begin: number;
  /** Number of bytes. */
  readonly length: number;
}

/** A value: its bytes, or the file, position and length of its bytes. */
export type OcdbtValue = Uint8Array | DataRange;

/** Opens a data file of a database by its path within it. */
type OpenData = (file: string) => Promise<ByteSource>;

/**
 * Reads the keys of the latest version of a database of OCDBT, the format in which Orbax stores arrays of
 * Zarr by TensorStore: a manifest that names the root of a B+tree, whose nodes lie in data files.
 *
 * Checksums of all blocks are checked. Each node must be reached once, and each level of the tree be one
 * below the last, so that no file leads to endless reading.
 * @param manifest - content of `manifest.ocdbt`
 * @param name - path of the manifest, for messages
 * @throws FormatError if a block is damaged, or claims more than there is
 * @throws UnsupportedError if the versions are listed in files of their own
 * @see https://google.github.io/tensorstore/kvstore/ocdbt/index.html#storage-format
 */
export async function readOcdbt(
  manifest: Uint8Array,
  name: string,
  open: OpenData,
): Promise<ReadonlyMap<string, OcdbtValue>> {
  const tree = new Tree(name, open);
  const { range, height } = rootOf(await openBlock(manifest, MANIFEST, name), name);
  await tree.visit(range, height, "");
  return tree.values;
}

/** Reads which node is the root of the latest version, and its level above the leaves. */
function rootOf(block: OcdbtCursor, name: string): { readonly range: DataRange; readonly height: number } {
  block.take(16);
  const kind = block.count();
  if (kind !== 0)
    throw new UnsupportedError(
      `Cannot read "${name}" as the manifest of OCDBT must be one file: its versions are in files of their own; copy the checkpoint by TensorStore with manifest_kind "single"`,
      { feature: "numbered manifests of OCDBT" },
    );
  block.column(2);
  block.byte();
  if (block.count() === 1) block.take(4);
  const files = readFiles(block, "");
  const versions = block.entries();
  block.column(versions);
  const heights = block.column(versions, () => block.byte());
  const range = readRanges(block, versions, files, name).at(-1);
  if (range === undefined) throw ocdbtError(name, "it must have a version: it has none");
  return { range, height: at(heights, versions - 1) };
}

/** Decodes a path or key, whose bytes are characters until then, as lengths count bytes. */
function textOf(name: string): string {
  return decodeUtf8(encodeLatin1(name));
}

type DataFile = Pick<DataRange, "file" | "base">;

/** Reads the table of the data files that entries of a block name by number. */
function readFiles(block: OcdbtCursor, base: string): DataFile[] {
  const count = block.entries();
  const shared = block.column(Math.max(0, count - 1));
  const rests = block.column(count);
  const bases = block.column(count);
  return block.names(shared, rests).map((path, i) => {
    return { file: base + textOf(path), base: base + textOf(path.slice(0, at(bases, i))) };
  });
}

/** Reads the columns of places in data files: file, first byte, number of bytes. */
function readRanges(
  block: OcdbtCursor,
  count: number,
  files: readonly DataFile[],
  name: string,
): DataRange[] {
  const [ids, begins, lengths] = [block.column(count), block.column(count), block.column(count)];
  return ids.map((id, i) => ({ ...fileOf(id, files, name), begin: at(begins, i), length: at(lengths, i) }));
}

function fileOf(id: number, files: readonly DataFile[], name: string): DataFile {
  const file = files[id];
  if (file === undefined)
    throw ocdbtError(name, `entries must be in one of ${files.length} data files: one is in number ${id}`);
  return file;
}

class Tree {
  readonly values: Map<string, OcdbtValue> = new Map();
  readonly #name: string;
  readonly #open: OpenData;
  readonly #visited: Set<string> = new Set();
  #characters = 0;

  constructor(name: string, open: OpenData) {
    this.#name = name;
    this.#open = open;
  }

  /** Reads a node and all below it. */
  async visit(range: DataRange, height: number, prefix: string): Promise<void> {
    const place = `${range.file}:${range.begin}`;
    if (this.#visited.has(place))
      throw ocdbtError(this.#name, `each node must be reached once: that at ${place} is reached again`);
    this.#visited.add(place);
    const source = await this.#open(range.file);
    if (range.length > MAX_INDEX_BYTES)
      throw ocdbtError(source, `a node may have ${MAX_INDEX_BYTES} bytes: one has ${range.length}`);
    const node = await openBlock(
      await source.read(range.begin, range.begin + range.length),
      NODE,
      source.name,
    );
    const stated = node.byte();
    if (stated !== height)
      throw ocdbtError(
        source.name,
        `a node must be of level ${height} as the one above says: it is of ${stated}`,
      );
    const files = readFiles(node, range.base);
    const count = node.entries();
    const shared = node.column(Math.max(0, count - 1));
    const rests = node.column(count);
    if (height === 0) {
      this.#addValues(node, node.names(shared, rests), prefix, files);
      return;
    }
    const common = node.column(count);
    const keys = node.names(shared, rests);
    const children = readRanges(node, count, files, source.name);
    for (const [i, child] of children.entries())
      await this.visit(child, height - 1, prefix + at(keys, i).slice(0, at(common, i)));
  }

  #addValues(node: OcdbtCursor, keys: readonly string[], prefix: string, files: readonly DataFile[]): void {
    const lengths = node.column(keys.length);
    const isFar = node.column(keys.length, () => node.byte()).map((kind) => kind === 1);
    const far = isFar.filter(Boolean).length;
    const [ids, begins] = [node.column(far), node.column(far)];
    let next = 0;
    for (const [i, key] of keys.entries()) {
      const length = at(lengths, i);
      this.#add(
        prefix + key,
        at(isFar, i)
          ? { ...fileOf(at(ids, next), files, this.#name), begin: at(begins, next++), length }
          : node.take(length),
      );
    }
  }

  #add(name: string, value: OcdbtValue): void {
    const key = textOf(name);
    this.#characters += key.length;
    if (this.values.size >= MAX_VALUES || this.#characters > MAX_KEY_CHARACTERS)
      throw ocdbtError(this.#name, `it may have ${MAX_VALUES} values with short keys: it has more`);
    if (this.values.has(key))
      throw ocdbtError(this.#name, `each key must be there once: ${excerpt(key)} is there twice`);
    this.values.set(key, value);
  }
}
