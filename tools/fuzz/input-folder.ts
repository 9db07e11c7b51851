import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { FuzzInput } from "./target.ts";

/** A folder that holds the files of one input at a time. */
export interface InputFolder {
  readonly path: string;
  /** Replaces the files of the input before. */
  write(input: FuzzInput): void;
  /** Copies the files to where they can be looked at. */
  keep(folder: string): void;
  remove(): void;
}

/** Makes an empty folder for inputs. */
export function createInputFolder(path: string): InputFolder {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  let names: readonly string[] = [];
  return {
    path,
    write(input) {
      for (const name of names) {
        const [folder = name] = name.split("/");
        if (input[name] === undefined || folder !== name)
          rmSync(join(path, folder), { force: true, recursive: true });
      }
      names = Object.keys(input);
      for (const name of names) {
        mkdirSync(dirname(join(path, name)), { recursive: true });
        writeFileSync(join(path, name), input[name] as string | Uint8Array);
      }
    },
    keep: (folder) => cpSync(path, folder, { recursive: true }),
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}
