import { join } from "@isthmus/platform";
import { openFileSource } from "../io/file-source.ts";
import { excerpt } from "../json/excerpt.ts";
import { formatErrors } from "./format-errors.ts";

/** Most bytes of a file that names another one. */
const MOST_BYTES = 1_000;

/**
 * Reads a file of a training program that names a folder beside it, such as that of the latest step.
 * @throws FormatError if it holds anything but a plain name
 */
export async function readPointer(folder: string, name: string): Promise<string> {
  const source = await openFileSource(join(folder, name), folder);
  try {
    const bytes = await source.read(0, Math.min(source.size, MOST_BYTES));
    const text = new TextDecoder().decode(bytes).trim();
    if (/^[^/\\\0\n]+$/.test(text) && text !== "." && text !== "..") return text;
    throw formatErrors("pointer")(source, `it must name a folder beside it: it says ${excerpt(text)}`);
  } finally {
    await source.close();
  }
}
