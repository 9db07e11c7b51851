import { at } from "../invariant.ts";
import type { OutputFile } from "../io/output-file.ts";

/** Several files that are written as one, from its beginning to its end. */
export interface ShardFiles extends Pick<OutputFile, "write"> {
  /** Creates the remaining empty files, and closes the last one. */
  finish(): Promise<void>;
}

/** Options of {@link createShardFiles}. */
export interface ShardFilesOptions {
  /** Paths of the files, in the order of their bytes. */
  readonly paths: readonly string[];
  /** Size of each file except the last, in bytes. */
  readonly shardBytes: number;
  /** Whether to wait until the bytes of a file are on the disk before it is closed. */
  readonly durable: boolean;
  /** Creates a file; only one file is open at a time. */
  readonly create: (path: string) => Promise<OutputFile>;
}

/** Creates files among which bytes are divided in order; each file is closed when the next one begins. */
export function createShardFiles({ paths, shardBytes, durable, create }: ShardFilesOptions): ShardFiles {
  let open: { readonly file: OutputFile; readonly index: number } | undefined;
  const openShard = async (index: number): Promise<OutputFile> => {
    while (open === undefined || open.index < index) {
      const next: number = open === undefined ? 0 : open.index + 1;
      await open?.file.finish(durable);
      open = { file: await create(at(paths, next, "file")), index: next };
    }
    return open.file;
  };
  return {
    async write(bytes, position) {
      for (let done = 0; done < bytes.length; ) {
        const index = Math.floor((position + done) / shardBytes);
        const begin = position + done - index * shardBytes;
        const part = bytes.subarray(done, done + shardBytes - begin);
        const file = await openShard(index);
        await file.write(part, begin);
        done += part.length;
      }
    },
    async finish() {
      const last = await openShard(paths.length - 1);
      await last.finish(durable);
    },
  };
}
