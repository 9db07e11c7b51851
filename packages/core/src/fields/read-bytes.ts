import { UsageError } from "../errors.ts";
import { excerpt } from "../json/excerpt.ts";

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/**
 * Reads a number of bytes, such as `5GB`, `500MiB` or `1000`.
 * @throws UsageError if the text is not a number of bytes
 */
export function readBytes(text: string): number {
  const [, digits = "", unit = ""] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text) ?? [];
  const factor = UNITS[unit.toLowerCase()];
  const bytes = Math.floor(Number(digits) * (factor ?? 0));
  if (bytes >= 1) return bytes;
  throw new UsageError(`Cannot read ${excerpt(text)} as it must be a size such as 5GB or 500MiB`);
}
