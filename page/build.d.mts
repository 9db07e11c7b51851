/** Builds the page into a folder, `page/dist` if none is named, and returns the folder; the same sources give the same bytes. */
export function buildPage(folder?: string): Promise<string>;

/** Builds the figures of the documents: one script and one style, which it hands over with their names. */
export function buildFigures(write: (path: string, contents: Uint8Array) => void): Promise<void>;
