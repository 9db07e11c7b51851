// Writes what is new in a version: an account of it, and the list of every note, by subject.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Subjects of notes in their order, each with the packages whose notes belong to it. */
export const SUBJECTS = {
  Merging: ["merging", "recipe", "mixtures", "merge-learning", "interpolation"],
  "Alignment and symmetries": ["weight-matching", "symmetry", "teleportation", "fusion", "linear-algebra"],
  "Networks, data and training": ["graph", "zoo", "data", "engine", "autodiff", "training", "statistics"],
  Measurements: [
    "barrier",
    "curvature",
    "similarity",
    "connectivity",
    "ensemble",
    "star-domain",
    "sparsity",
    "subspace",
  ],
  "Studies, and measurements of your own": ["study", "findings", "measurements", "forms"],
  "Many machines": ["distributed", "tasks", "workers"],
  Federations: ["federated", "federation-server", "simulation"],
  "The command, pages and files": ["report", "cli", "core", "platform", "isthmus"],
};

const KINDS = { major: "Changes that break", minor: "New", patch: "Mended" };

/** Heading of the part of the changelog that is written by hand while a version is made. */
const UNRELEASED = "## Unreleased\n";

/** Reads the notes of a folder: the kind of each (the largest of its packages), its packages and its text. */
export function readNotes(folder) {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".md") && file !== "README.md")
    .sort()
    .map((file) => readNote(readFileSync(join(folder, file), "utf8")));
}

/** Reads one note. */
export function readNote(file) {
  const [, header, text] = file.match(/^---\n([\s\S]*?)---\n([\s\S]*)$/);
  const bumps = [...header.matchAll(/^"([^"]+)": (major|minor|patch)$/gm)];
  const kind = Object.keys(KINDS).find((section) => bumps.some(([, , bump]) => bump === section));
  const packages = bumps.map(([, name]) => name.replace("@isthmus/", ""));
  return { kind, packages, text: text.trim() };
}

/**
 * Returns the changelog with a new version at its top. The part "Unreleased" becomes the account of the version; without
 * one, it is the first sentence of every note.
 *
 * @param list - the address of the list of all notes
 */
export function addVersion(changelog, { version, notes, list }) {
  const [heading, ...parts] = changelog.split(/^(?=## )/m);
  const [first = "", ...earlier] = parts;
  const isWritten = first.startsWith(UNRELEASED);
  const account = isWritten
    ? first.slice(UNRELEASED.length).trim()
    : bySubject(notes, "###", ({ text }) => firstSentence(text)).trim();
  const all = `[All ${notes.length} notes](${list}), in full.`;
  return `${heading}## ${version}\n\n${account}\n\n${all}\n\n${(isWritten ? earlier : parts).join("")}`;
}

/** Writes every note of a version, in full. */
export function listNotes({ version, notes }) {
  return `# Every note of ${version}\n\nThe changelog is the short account of it.\n${bySubject(notes, "##", writeInFull)}`;
}

/**
 * Writes notes as lists under subjects, what is new before what is mended.
 *
 * @param level - the marks before the heading of a subject
 */
function bySubject(notes, level, write) {
  const parts = Object.keys(SUBJECTS).map((subject) => {
    const kinds = Object.entries(KINDS).map(([kind, title]) => {
      const items = notes.filter((note) => note.kind === kind && subjectOf(note) === subject);
      const lines = items.map((note) => `- ${write(note).replace(/\n(?=.)/g, "\n  ")}`);
      return items.length === 0 ? "" : `\n${level}# ${title}\n\n${lines.join("\n")}\n`;
    });
    const text = kinds.join("");
    return text === "" ? "" : `\n${level} ${subject}\n${text}`;
  });
  return parts.join("");
}

/** Writes the packages of a note in front of its text. */
function writeInFull({ packages, text }) {
  return `**${packages.join(", ")}**: ${text}`;
}

/** Returns the subject of a note: that of the first of its packages that is no surface, if there is one. */
function subjectOf({ packages }) {
  const [main = packages[0]] = packages.filter(
    (name) => !["isthmus", "cli", "core", "report"].includes(name),
  );
  const [subject] = Object.entries(SUBJECTS).find(([, names]) => names.includes(main)) ?? [];
  if (subject === undefined)
    throw new Error(`Cannot sort a note as ${main} must be of a subject in SUBJECTS`);
  return subject;
}

/** The first sentence of a note, or its first line if it ends in a colon. */
function firstSentence(text) {
  const [line = ""] = text.split("\n\n");
  const words = line.replaceAll("\n", " ");
  return /^.*?[.:](?=\s|$)/.exec(words)?.[0].replace(/:$/, ".") ?? words;
}
