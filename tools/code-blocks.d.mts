/** Lists the pages in a folder of the repository, and in folders below it. */
export function documentsOf(folder: string): string[];
