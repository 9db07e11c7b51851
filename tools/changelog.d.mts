/** A note of a change, for users. */
export interface ChangeNote {
  /** The largest of the steps that its packages take. */
  readonly kind: "major" | "minor" | "patch";
  /** Packages that it concerns, without their scope. */
  readonly packages: readonly string[];
  /** Its text, in Markdown. */
  readonly text: string;
}

/** Subjects of notes in their order, each with the packages whose notes belong to it. */
export const SUBJECTS: Readonly<Record<string, readonly string[]>>;

/** Reads one note. */
export function readNote(file: string): ChangeNote;

/** Returns the changelog with a new version at its top. */
export function addVersion(
  changelog: string,
  made: { readonly version: string; readonly notes: readonly ChangeNote[]; readonly list: string },
): string;

/** Writes every note of a version, in full. */
export function listNotes(made: { readonly version: string; readonly notes: readonly ChangeNote[] }): string;
