/** Builds the page into a folder, `page/dist` if none is named, and returns the folder; the same sources give the same bytes. */
export function buildPage(folder?: string): Promise<string>;
