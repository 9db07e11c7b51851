import { createHash } from "node:crypto";
import { viewBytes } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";

/** Examples read at once. */
const CHUNK = 1000;
/** Hexadecimal digits of SHA-256 that make the digest. */
const DIGEST_LENGTH = 32;

/** Computes a digest of all examples of a data set, as networks are fed them, and of their labels. */
export function digestData(data: DataSet): string {
  const hash = createHash("sha256").update(JSON.stringify([data.size, data.exampleShape, data.classes]));
  for (let begin = 0; begin < data.size; begin += CHUNK) {
    const { inputs, features, labels } = data.read(begin, Math.min(begin + CHUNK, data.size));
    hash.update(viewBytes(inputs.data));
    for (const [name, { data: values }] of features ?? []) hash.update(name).update(viewBytes(values));
    hash.update(viewBytes(labels));
  }
  return hash.digest("hex").slice(0, DIGEST_LENGTH);
}
