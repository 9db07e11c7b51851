import type { Dice } from "../dice.ts";

/** Numbers at which lengths, counts and offsets go wrong. */
const EDGES: readonly bigint[] = [
  ...[0n, 1n, 2n, 7n, 8n, 127n, 128n, 255n, 256n, 65535n],
  ...[31n, 32n, 53n, 62n, 63n, 64n].flatMap((bits) => [2n ** bits - 1n, 2n ** bits]),
];

/** Changes bytes in one to three places: bits, pieces, numbers at the edges of their types. */
export function mutateBytes(dice: Dice, bytes: Uint8Array): Buffer {
  let changed: Buffer = Buffer.from(bytes);
  for (let round = 1 + dice.below(3); round > 0; round--) {
    if (changed.length === 0) changed = dice.bytes(1);
    changed = dice.pick(CHANGES)(dice, changed, dice.below(changed.length));
  }
  return changed;
}

/** Makes a number of 1, 2, 4 or 8 bytes, in either byte order, that is at the edge of some type. */
export function edgeNumber(dice: Dice): Buffer {
  const width = dice.pick([1, 2, 4, 8]);
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, dice.pick(EDGES)));
  const low = bytes.subarray(0, width);
  return dice.chance(0.5) ? low : Buffer.from(low).reverse();
}

type Change = (dice: Dice, bytes: Buffer, at: number) => Buffer;

const CHANGES: readonly Change[] = [
  (dice, bytes, at) => {
    bytes[at] = (bytes[at] as number) ^ (1 << dice.below(8));
    return bytes;
  },
  (dice, bytes, at) => {
    bytes[at] = dice.below(256);
    return bytes;
  },
  (dice, bytes, at) => {
    bytes[at] = (bytes[at] as number) + dice.pick([-4, -1, 1, 4]);
    return bytes;
  },
  (_, bytes, at) => bytes.subarray(0, at),
  (dice, bytes, at) => splice(bytes, at, 0, dice.bytes(1 + dice.below(16))),
  (dice, bytes, at) => splice(bytes, at, 1 + dice.below(32), Buffer.alloc(0)),
  (dice, bytes, at) => splice(bytes, at, 0, bytes.subarray(at, at + 1 + dice.below(64))),
  (dice, bytes) => Buffer.concat([bytes, dice.bytes(1 + dice.below(8))]),
  (dice, bytes, at) => {
    edgeNumber(dice).copy(bytes, at);
    return bytes;
  },
  (dice, bytes, at) => {
    const from = dice.below(bytes.length);
    Buffer.from(bytes.subarray(from, from + 1 + dice.below(16))).copy(bytes, at);
    return bytes;
  },
];

function splice(bytes: Buffer, at: number, removed: number, added: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(Math.min(bytes.length, at + removed))]);
}
