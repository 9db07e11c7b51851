import { at } from "../../invariant.ts";
import { Hdf5Bytes, type Hdf5File, hdf5Error, WIDTHS } from "./hdf5-bytes.ts";

/** A message of an object: its shape, its type, where its elements are, what a group links to. */
export interface Hdf5Message {
  /** Number of the kind of message in the specification of HDF5. */
  readonly type: number;
  /** Content of the message. */
  readonly body: Hdf5Bytes;
}

const CONTINUATION = 0x10;

/** Most blocks of messages of one object. */
const MAX_BLOCKS = 1_000;

/** Reads all messages of the object at an address, of both versions of headers. */
export async function readMessages(file: Hdf5File, address: number): Promise<Hdf5Message[]> {
  const head = await file.read(address, Math.min(64, Math.max(16, file.source.size - address)));
  const isFirst = head.number(0, 1) === 1;
  if (!isFirst) head.expect(0, "OHDR");
  const flags = isFirst ? 0 : head.number(5, 1);
  const form = { isFirst, hasOrder: (flags & 4) !== 0 };
  const messages: Hdf5Message[] = [];
  const blocks = [
    isFirst ? { begin: address + 16, length: head.number(8, 4) } : firstBlock(head, flags, address),
  ];
  for (const [i, { begin, length }] of blocks.entries()) {
    if (i > MAX_BLOCKS)
      throw hdf5Error(file.source, `an object may have ${MAX_BLOCKS} blocks of messages: one has more`);
    const { bytes } = await file.read(begin, length);
    // Later blocks of the second version have a signature before and a checksum after messages.
    const inner = isFirst || i === 0 ? bytes : bytes.subarray(4, -4);
    for (const message of messagesOf(new Hdf5Bytes(inner, file.source.name), form, file)) {
      if (message.type !== CONTINUATION) messages.push(message);
      else blocks.push({ begin: message.body.number(0, 8), length: message.body.number(8, 8) });
    }
  }
  return messages;
}

/** Returns where messages begin in a header of the second version, whose fields before them vary. */
function firstBlock(head: Hdf5Bytes, flags: number, address: number): { begin: number; length: number } {
  const width = at(WIDTHS, flags & 3, "width");
  const place = 6 + ((flags & 0x20) !== 0 ? 16 : 0) + ((flags & 0x10) !== 0 ? 4 : 0);
  return { begin: address + place + width, length: head.number(place, width) };
}

/** Form of the messages of a header. */
interface HeaderForm {
  /** Whether the header is of the first version. */
  readonly isFirst: boolean;
  /** Whether each message has the number of its creation. */
  readonly hasOrder: boolean;
}

function* messagesOf(
  block: Hdf5Bytes,
  { isFirst, hasOrder }: HeaderForm,
  { source }: Hdf5File,
): Generator<Hdf5Message> {
  const headBytes = isFirst ? 8 : hasOrder ? 6 : 4;
  const until = block.bytes.length;
  for (let place = 0; place + headBytes <= until; ) {
    const type = block.number(place, isFirst ? 2 : 1);
    const length = block.number(place + (isFirst ? 2 : 1), 2);
    const begin = place + headBytes;
    if (begin + length > until)
      throw hdf5Error(source, `messages must be within their block: one of ${length} bytes is not`);
    yield { type, body: new Hdf5Bytes(block.bytes.subarray(begin, begin + length), source.name) };
    place = begin + length;
  }
}
