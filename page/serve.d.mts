/** A server of one folder. */
export interface FolderServer {
  /** Address of the folder, with a slash at its end. */
  readonly url: string;
  /** Stops the server. */
  close(): Promise<void>;
}

/** Serves a folder on localhost; port 0 takes a free one. */
export function serveFolder(folder: string, port?: number): Promise<FolderServer>;
