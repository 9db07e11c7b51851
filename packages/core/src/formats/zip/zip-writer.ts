import { crc32, encodeUtf8 } from "@isthmus/platform";
import { UnsupportedError } from "../../errors.ts";
import type { FileWriter } from "../../save/file-writer.ts";
import { byteLengthOf, type TensorInfo, viewBytes } from "../../tensor/tensor.ts";
import { encodeDirectory, encodeLocalHeader, MAX_NAME_BYTES, type WrittenEntry } from "./encode-headers.ts";

/** Content of a file in an archive: some bytes, then the elements of a tensor, if any. */
export interface ZipContent {
  /** Path of the file in the archive. */
  readonly name: string;
  /** Bytes at the start of the file. */
  readonly head: Uint8Array;
  /** Tensor whose elements follow; absent if the file has none. */
  readonly tensor?: TensorInfo & { readonly name: string };
}

/** Writer of archives of uncompressed files. */
export interface ZipWriter {
  /**
   * Writes a file.
   * @throws UnsupportedError if the file's name is too long for an archive
   */
  add(content: ZipContent): Promise<void>;
  /** Writes the directory, which ends the archive. */
  finish(): Promise<void>;
}

/** Creates the writer of an archive. */
export function createZipWriter(writer: FileWriter): ZipWriter {
  const entries: WrittenEntry[] = [];
  return {
    async add({ name, head, tensor }) {
      assertName(name);
      const begin = writer.position();
      const size = head.length + (tensor === undefined ? 0 : byteLengthOf(tensor));
      // The checksum is known only after all elements are written; the header is then written again.
      await writer.append(encodeLocalHeader({ name, size, crc32: 0 }));
      let checksum = crc32(head);
      await writer.append(head);
      const encode = (data: Parameters<typeof viewBytes>[0]): Uint8Array => {
        const bytes = viewBytes(data);
        checksum = crc32(bytes, checksum);
        return bytes;
      };
      if (tensor !== undefined) await writer.appendTensor(tensor, encode);
      const entry = { name, size, crc32: checksum, begin };
      await writer.patch(encodeLocalHeader(entry), begin);
      entries.push(entry);
    },
    finish: () => writer.append(encodeDirectory(entries, writer.position())),
  };
}

function assertName(name: string): void {
  const length = encodeUtf8(name).length;
  if (length <= MAX_NAME_BYTES) return;
  throw new UnsupportedError(
    `Cannot write an archive with "${name.slice(0, 100)}…" as names may have at most ${MAX_NAME_BYTES} bytes: it has ${length}`,
    { feature: "long names in a zip archive" },
  );
}
