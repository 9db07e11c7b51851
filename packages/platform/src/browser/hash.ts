import { sha256 } from "@noble/hashes/sha2.js";
import { encodeUtf8 } from "../byte-arrays.ts";
import type { CreateHash, Hash } from "../port.ts";
import { encodeBase64 } from "./bytes.ts";

/** Starts a digest. */
export const createHash: CreateHash = () => {
  const state = sha256.create();
  function digest(): Uint8Array;
  function digest(encoding: "hex" | "base64"): string;
  function digest(encoding?: "hex" | "base64"): Uint8Array | string {
    const bytes = state.digest();
    if (encoding === undefined) return bytes;
    if (encoding === "base64") return encodeBase64(bytes);
    return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  const hash: Hash = {
    update(data) {
      state.update(typeof data === "string" ? encodeUtf8(data) : data);
      return hash;
    },
    digest,
  };
  return hash;
};

/** Makes an identifier of random digits. */
export const randomUUID = (): string => crypto.randomUUID();
