import { createHash } from "node:crypto";
import type { SymmetrySpec } from "../spec.ts";
import { encodeSpec } from "./encode-spec.ts";

/** Hexadecimal digits of a fingerprint: 64 bits. */
const DIGITS = 16;

/**
 * Computes a fingerprint of the weights and units of a specification; reasons of frozen axes do not change
 * it.
 */
export function fingerprintSpec(spec: SymmetrySpec): string {
  const encoded = encodeSpec({ ...spec, frozen: [], unknown: [] });
  return createHash("sha256").update(JSON.stringify(encoded)).digest("hex").slice(0, DIGITS);
}
