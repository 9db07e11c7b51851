/** Place of a file in a zip archive, as its directory states it. */
export interface ZipPlace {
  readonly fileName: string;
  /** Length of the name in bytes, which is stored again before the file. */
  readonly fileNameLength: number;
  readonly relativeOffsetOfLocalHeader: number;
  readonly compressedSize: number;
}

/** Bytes before the name of a file. */
const LOCAL_HEADER_BYTES = 30;

/**
 * Finds two files of an archive that share bytes. No honest archive has any; an archive that has can claim
 * far more content than it has bytes.
 * @returns the names of both, or undefined
 */
export function findOverlap(places: readonly ZipPlace[]): readonly [string, string] | undefined {
  const sorted = [...places].sort((a, b) => a.relativeOffsetOfLocalHeader - b.relativeOffsetOfLocalHeader);
  for (const [i, { fileName, ...place }] of sorted.entries()) {
    const { relativeOffsetOfLocalHeader: begin, fileNameLength, compressedSize } = place;
    const next = sorted[i + 1];
    const end = begin + LOCAL_HEADER_BYTES + fileNameLength + compressedSize;
    if (next !== undefined && end > next.relativeOffsetOfLocalHeader) return [fileName, next.fileName];
  }
  return undefined;
}
