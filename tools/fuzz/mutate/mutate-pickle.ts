import { global } from "../../../packages/core/test-fixtures/pickles.ts";
import type { Dice } from "../dice.ts";
import { mutateBytes } from "./mutate-bytes.ts";

/** Every operation of protocols 0 to 5, known or not. */
const OPERATIONS: readonly number[] = [
  ...Buffer.from("(012FIJKLMNPQRSTUVXabcdehgijlopqrstu}]).BC"),
  ...Array.from({ length: 0x99 - 0x80 }, (_, i) => 0x80 + i),
];

const GLOBALS: readonly string[] = [
  ...["cos\nsystem\n", "cbuiltins\neval\n", "c__proto__\nconstructor\n"],
  global("torch._utils", "_rebuild_tensor_v2"),
  global("torch._utils", "_rebuild_tensor_v3"),
  global("torch._utils", "_rebuild_parameter"),
  global("torch._tensor", "_rebuild_from_type_v2"),
  global("torch", "FloatStorage"),
  global("torch", "Size"),
  global("torch", "float32"),
  global("collections", "OrderedDict"),
  global("collections", "defaultdict"),
  global("builtins", "set"),
  global("_codecs", "encode"),
];

/** Changes the operations of a pickle in one to four places. */
export function mutatePickle(dice: Dice, pickle: Uint8Array): Buffer {
  let changed: Buffer = Buffer.from(pickle);
  for (let round = 1 + dice.below(4); round > 0; round--) {
    const at = 2 + dice.below(Math.max(changed.length - 2, 1));
    changed = dice.pick(CHANGES)(dice, changed, at);
  }
  return changed;
}

/** Makes a pickle of operations at random, with operands that mostly fit. */
export function randomPickle(dice: Dice): Buffer {
  const parts: Buffer[] = [Buffer.from([0x80, 2])];
  for (let left = 1 + dice.below(60); left > 0; left--) {
    const operation = dice.pick(OPERATIONS);
    parts.push(Buffer.from([operation]), operandOf(dice, operation));
  }
  return Buffer.concat([...parts, Buffer.from(".")]);
}

function operandOf(dice: Dice, operation: number): Buffer {
  switch (operation) {
    case 0x4b: // BININT1
    case 0x68: // BINGET
    case 0x71: // BINPUT
      return Buffer.from([dice.below(4)]);
    case 0x4d: // BININT2
      return Buffer.from([dice.below(5), 0]);
    case 0x4a: // BININT
      return Buffer.from([dice.below(5), 0, 0, dice.pick([0, 0, 0, 255])]);
    case 0x58: // BINUNICODE
      return Buffer.from([1, 0, 0, 0, 97 + dice.below(3)]);
    case 0x8c: // SHORT_BINUNICODE
      return Buffer.from([1, 97 + dice.below(3)]);
    case 0x8a: // LONG1
      return Buffer.concat([Buffer.from([2]), dice.bytes(2)]);
    case 0x63: // GLOBAL
      return Buffer.from(dice.pick(GLOBALS).slice(1));
    case 0x80: // PROTO
      return Buffer.from([2]);
    default:
      return Buffer.alloc(0);
  }
}

type Change = (dice: Dice, bytes: Buffer, at: number) => Buffer;

const insert = (bytes: Buffer, at: number, added: Uint8Array, removed = 0): Buffer =>
  Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)]);

const CHANGES: readonly Change[] = [
  (dice, bytes, at) => insert(bytes, at, Buffer.from([dice.pick(OPERATIONS)]), 1),
  (dice, bytes, at) => insert(bytes, at, Buffer.from([dice.pick(OPERATIONS)])),
  (_, bytes, at) => insert(bytes, at, Buffer.alloc(0), 1),
  (dice, bytes, at) => insert(bytes, at, Buffer.from(dice.pick(GLOBALS))),
  (dice, bytes, at) => {
    const from = dice.below(bytes.length);
    return insert(bytes, at, bytes.subarray(from, from + 1 + dice.below(20)));
  },
  (dice, bytes) => mutateBytes(dice, bytes),
];
