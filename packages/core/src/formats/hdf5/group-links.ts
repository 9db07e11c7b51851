import { UnsupportedError } from "../../errors.ts";
import { at } from "../../invariant.ts";
import { type Hdf5Bytes, type Hdf5File, hdf5Error, WIDTHS } from "./hdf5-bytes.ts";
import type { Hdf5Message } from "./object-header.ts";

const SYMBOL_TABLE = 0x11;
const LINK = 0x06;
const LINK_INFO = 0x02;

/** Bytes of an entry of a node of symbols. */
const SYMBOL_BYTES = 40;

/** Deepest tree of symbols: even one of two children a node then has more leaves than any file. */
const MAX_LEVEL = 40;

/** Name of an object in a group, and the address of its header. */
export type Hdf5Link = readonly [name: string, address: number];

/** Checks by its messages whether an object is a group. */
export function isGroup(messages: readonly Hdf5Message[]): boolean {
  return messages.some(({ type }) => type === SYMBOL_TABLE || type === LINK || type === LINK_INFO);
}

/**
 * Reads the links of a group: from a table of symbols, or from its messages.
 * @throws UnsupportedError if the links are in a heap of the later format, as in very large groups
 */
export async function readLinks(messages: readonly Hdf5Message[], file: Hdf5File): Promise<Hdf5Link[]> {
  const links: Hdf5Link[] = [];
  for (const { type, body } of messages) {
    if (type === SYMBOL_TABLE) links.push(...(await readSymbols(body, file)));
    if (type === LINK) links.push(...linkOf(body));
    if (type === LINK_INFO && body.address((body.number(1, 1) & 1) !== 0 ? 10 : 2) !== undefined) {
      throw new UnsupportedError(
        `Cannot read "${file.source.name}" as groups must list their members: one has them in a heap; save it with libver="earliest", as Keras does`,
        { feature: "dense groups of HDF5" },
      );
    }
  }
  return links;
}

/** Reads a hard link; links to other files and paths lead nowhere. */
function linkOf(body: Hdf5Bytes): Hdf5Link[] {
  const flags = body.number(1, 1);
  let place = 2;
  const kind = (flags & 8) === 0 ? 0 : body.number(place++, 1);
  if ((flags & 4) !== 0) place += 8;
  if ((flags & 16) !== 0) place += 1;
  const width = at(WIDTHS, flags & 3, "width");
  const length = body.number(place, width);
  const name = body.text(place + width, length);
  return kind === 0 ? [[name, body.number(place + width + length, 8)]] : [];
}

async function readSymbols(body: Hdf5Bytes, file: Hdf5File): Promise<Hdf5Link[]> {
  const heap = await file.read(body.number(8, 8), 32);
  heap.expect(0, "HEAP");
  const names = await file.read(heap.number(24, 8), heap.number(8, 8));
  const links: Hdf5Link[] = [];
  await readTree(body.number(0, 8), 0);
  return links;

  async function readTree(address: number, depth: number): Promise<void> {
    const head = await file.read(address, 24);
    if (depth > MAX_LEVEL)
      throw hdf5Error(file.source, `a tree of symbols may have ${MAX_LEVEL} levels: one has more`);
    head.expect(0, "TREE");
    const count = head.number(6, 2);
    const isLeaf = head.number(5, 1) === 0;
    const children = await file.read(address + 24, 8 + 16 * count);
    for (let i = 0; i < count; i++) {
      const child = children.number(8 + 16 * i, 8);
      if (isLeaf) await readNode(child);
      else await readTree(child, depth + 1);
    }
  }

  async function readNode(address: number): Promise<void> {
    const head = await file.read(address, 8);
    head.expect(0, "SNOD");
    const count = head.number(6, 2);
    const entries = await file.read(address + 8, SYMBOL_BYTES * count);
    for (let i = 0; i < count; i++) {
      const place = SYMBOL_BYTES * i;
      // A cached symbolic link has no object of its own.
      if (entries.number(place + 16, 4) !== 2)
        links.push([names.text(entries.number(place, 8)), entries.number(place + 8, 8)]);
    }
  }
}
