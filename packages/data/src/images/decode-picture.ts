import { UnsupportedError } from "@isthmus/core";
import { decodeJpeg, isJpeg } from "./decode-jpeg.ts";
import { decodePng, isPng } from "./decode-png.ts";
import type { Picture } from "./picture.ts";

/**
 * Decodes a PNG or JPEG file; the first bytes show which one it is.
 * @param source - name for messages
 * @throws FormatError if the file is damaged, or claims more pixels than it can contain or than are supported
 * @throws UnsupportedError if the file is neither
 */
export async function decodePicture(bytes: Uint8Array, source: string): Promise<Picture> {
  if (isPng(bytes)) return decodePng(bytes, source);
  if (isJpeg(bytes)) return decodeJpeg(bytes, source);
  const start = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join("");
  throw new UnsupportedError(
    `Cannot read picture "${source}" as PNG and JPEG are handled: it begins with ${start || "nothing"}; convert it first`,
    { feature: "pictures that are neither PNG nor JPEG" },
  );
}
