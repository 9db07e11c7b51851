import type { Node } from "oxc-parser";

/** Where a name is declared. */
export interface DeclaredAt {
  /** Path of the file from the root. */
  readonly path: string;
  /** Name in that file. */
  readonly local: string;
}

/** An entry of a package: what one specifier imports. */
export interface Entry {
  /** Folder of the package. */
  readonly owner: string;
  /** Words of an import, such as `@isthmus/core`. */
  readonly specifier: string;
  /** Path of the entry's source. */
  readonly path: string;
  /** Exported names with their declarations. */
  readonly names: ReadonlyMap<string, DeclaredAt>;
}

/** Lists the entries of all packages. */
export function listEntries(): Entry[];

/** Declaration of a name that a file declares, imports from our sources, or passes on. */
export function declarationOf(path: string, local: string): DeclaredAt | undefined;

/** Reads the declaration of a name. */
export function readDeclaration(at: DeclaredAt): {
  readonly nodes: readonly Node[];
  readonly text: string;
  readonly comment: string;
};

/** Doc comment directly before a place of a text; empty if there is none. */
export function commentBefore(text: string, place: number): string;
