import { open } from "node:fs/promises";

/**
 * Waits until the disk has the names in a folder; does nothing on systems where folders cannot be opened,
 * such as Windows.
 */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close().catch(() => {});
}
