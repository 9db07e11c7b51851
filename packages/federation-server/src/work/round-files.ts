import { type ByteSource, type Checkpoint, digestFile, openCheckpoint, openFileSource } from "@isthmus/core";
import { type DigestedSource, digestReads } from "../store/digested-source.ts";

/** Files that are read for the aggregation of a round, which are closed together. */
export interface RoundFiles {
  /** Opens a network or a state. */
  open(path: string): Promise<Checkpoint>;
  /** Opens an update, whose bytes are digested as they are read. */
  openDigested(path: string): Promise<ByteSource>;
  /** Returns the SHA-256 of an update, for which bytes are read that have not been read so far. */
  digest(path: string): Promise<string>;
  /** Closes all files. */
  close(): Promise<void>;
}

/** Opens no files yet. */
export function createRoundFiles(): RoundFiles {
  const checkpoints: Checkpoint[] = [];
  const sources = new Map<string, DigestedSource>();
  return {
    async open(path) {
      const checkpoint = await openCheckpoint(path);
      checkpoints.push(checkpoint);
      return checkpoint;
    },
    async openDigested(path) {
      const source = digestReads(await openFileSource(path));
      sources.set(path, source);
      return source;
    },
    digest: async (path) => sources.get(path)?.digest() ?? digestFile(path),
    async close() {
      for (const opened of [...checkpoints, ...sources.values()]) await opened.close();
    },
  };
}
