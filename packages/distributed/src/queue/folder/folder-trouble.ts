import { messageOf } from "@isthmus/core";

/** Reports trouble with the folder of a queue, each kind once until it is over. */
export interface FolderTrouble {
  /** Reports an error unless one of its kind was reported since the last success; returns undefined. */
  tell(error: unknown): undefined;
  /** Notes a success, after which every kind of error is reported again. */
  isOver(): void;
}

/** Makes a {@link FolderTrouble} that calls a function with sentences. */
export function createFolderTrouble(onTrouble: ((sentence: string) => void) | undefined): FolderTrouble {
  const told = new Set<string>();
  return {
    tell(error) {
      const sentence = messageOf(error);
      const sort = (error as NodeJS.ErrnoException | undefined)?.code ?? sentence;
      if (!told.has(sort)) onTrouble?.(`The queue's folder is in trouble: ${sentence}`);
      told.add(sort);
      return undefined;
    },
    isOver: () => told.clear(),
  };
}
