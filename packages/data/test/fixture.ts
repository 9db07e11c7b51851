import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Gives the path of a file that `generate-pictures.py` made. */
export function pictureFixture(name: string): string {
  return fileURLToPath(new URL(`fixtures/pictures/${name}`, import.meta.url));
}

/** Reads a file that `generate-pictures.py` made. */
export function readFixture(name: string): Uint8Array {
  return readFileSync(pictureFixture(name));
}
