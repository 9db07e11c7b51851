import { openFolderQueue } from "../src/queue/folder/open-folder-queue.ts";
import type { TaskQueue } from "../src/queue/task-queue.ts";

/** Opens a folder queue, here or in a process of its own. */
export const openPlace = (place: string): Promise<TaskQueue> => openFolderQueue(place);
