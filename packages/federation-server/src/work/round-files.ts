import { type ByteSource, type Checkpoint, digestFile, openCheckpoint, openFileSource } from "@isthmus/core";
import { type DigestedSource, digestReads } from "../store/digested-source.ts";
import type { KnownFile } from "../store/known-file.ts";

/** Files that are read for the aggregation of a round, which are closed together. */
export interface RoundFiles {
  /** Opens a network or a state. */
  open(path: string): Promise<Checkpoint>;
  /** Opens an update. Its SHA-256 is computed from the same reads, unless the stamp of the file is known. */
  openUpdate(file: KnownFile): Promise<ByteSource>;
  /** Returns the SHA-256 of an update, for which bytes are read that have not been read so far. */
  digest(path: string): Promise<string>;
  /** Closes all files. */
  close(): Promise<void>;
}

/** Opens no files yet. */
export function createRoundFiles(): RoundFiles {
  const opened: Pick<ByteSource, "close">[] = [];
  const sources = new Map<string, DigestedSource>();
  return {
    async open(path) {
      const checkpoint = await openCheckpoint(path);
      opened.push(checkpoint);
      return checkpoint;
    },
    async openUpdate({ path, stamp }) {
      const source = await openFileSource(path);
      opened.push(source);
      if (stamp !== undefined) return source;
      const digested = digestReads(source);
      sources.set(path, digested);
      return digested;
    },
    digest: async (path) => sources.get(path)?.digest() ?? digestFile(path),
    async close() {
      for (const file of opened) await file.close();
    },
  };
}
