import { WireType } from "@bufbuild/protobuf/wire";
import type { Field } from "./schema.ts";

const WIRE_TYPES = {
  int: WireType.Varint,
  int64: WireType.Varint,
  uint64: WireType.Varint,
  float: WireType.Bit32,
  double: WireType.Bit64,
  string: WireType.LengthDelimited,
  bytes: WireType.LengthDelimited,
} as const;

/** Returns the layout in bytes of one value of a field; numbers of a repeated field may be packed instead. */
export function wireTypeOf({ kind }: Field): WireType {
  return typeof kind === "function" ? WireType.LengthDelimited : WIRE_TYPES[kind];
}
