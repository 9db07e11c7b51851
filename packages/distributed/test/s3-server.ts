import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import S3rver from "s3rver";

/** A server of objects for tests. */
export interface S3Server {
  /** Address of a storage on it. */
  address(prefix: string): string;
  /** Folder of this machine with the objects, each a file `NAME._S3rver_object`; empty for another server. */
  readonly folder: string;
  stop(): Promise<void>;
}

/**
 * Starts a server of objects in this process.
 *
 * s3rver has no If-None-Match, and neither lists nor aborts uploads in parts, nor looks at Content-MD5: what does is
 * tried by hand against others.
 * @param other - address of a bucket on a server that runs already, such as `s3://bucket?endpoint=http://127.0.0.1:5000`
 */
export async function startS3Server(other?: string): Promise<S3Server> {
  if (other !== undefined) {
    const address = (prefix: string): string => other.replace("?", `/${prefix}?`);
    return { address, folder: "", stop: () => Promise.resolve() };
  }
  const folder = mkdtempSync(join(tmpdir(), "isthmus-s3-"));
  const server = new S3rver({
    address: "127.0.0.1",
    port: 0,
    silent: true,
    directory: folder,
    configureBuckets: [{ name: "isthmus" }],
  });
  const { port } = await server.run();
  return {
    folder,
    address: (prefix) => `s3://isthmus/${prefix}?endpoint=http://127.0.0.1:${port}`,
    async stop() {
      await server.close();
      rmSync(folder, { recursive: true });
    },
  };
}
