import { open } from "node:fs/promises";

/**
 * Waits until the names in a folder are on the disk; does nothing on systems where folders cannot be opened,
 * such as Windows.
 */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close().catch(() => {});
}
