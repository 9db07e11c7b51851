import { createHash } from "node:crypto";
import type { SymmetrySpec } from "../spec.ts";
import { encodeSpec } from "./encode-spec.ts";

/** Hexadecimal digits of a fingerprint: 64 bits. */
const DIGITS = 16;

/** Names what a specification says of weights and units; what is explained of frozen axes does not matter to it. */
export function fingerprintSpec(spec: SymmetrySpec): string {
  const encoded = encodeSpec({ ...spec, frozen: [], unknown: [] });
  return createHash("sha256").update(JSON.stringify(encoded)).digest("hex").slice(0, DIGITS);
}
