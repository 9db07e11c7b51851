import type { MergeFinding } from "@isthmus/recipe";
import type { Request } from "../protocol.ts";

/** A file to read, under the path by which commands and recipes name it. */
export interface GivenFile {
  /** Path without a leading slash, such as `a.safetensors` or `llama/config.json`. */
  readonly path: string;
  readonly content: Blob;
}

/** Use that a file can have. */
export type FileUse = "network" | "graph" | "data" | "recipe" | "part" | "beside" | "refused";

/** A file as it was recognised. */
export interface KnownFile {
  readonly path: string;
  readonly bytes: number;
  /** Use of the file: `part` is a shard of an index, `beside` lies beside weights, such as a tokenizer; `refused` has an impossible path. */
  readonly use: FileUse;
  /** What the file holds, in a few words. */
  readonly what: string;
  /** Why the file cannot be read; undefined if it can. */
  readonly problem: string | undefined;
  /** Number of examples in the file; undefined if it holds none, or does not say it at its beginning. */
  readonly examples?: number | undefined;
}

/** Examples that can be measured on, under the name by which a command knows them. */
export interface KnownData {
  readonly name: string;
  readonly label: string;
  /** Number of the examples; undefined if it is not known yet. */
  readonly count: number | undefined;
}

/** All files, and the examples among them. */
export interface KnownFiles {
  readonly files: readonly KnownFile[];
  readonly data: readonly KnownData[];
}

/** A result, with the command that gives the same. */
export type WithCommand<T> = T & { readonly command: string };

/** A tensor of a file. */
export interface ListedTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
}

/** What is in a file. */
export interface Inspected {
  readonly tensors: readonly ListedTensor[];
  /** Facts with their names, such as the number of parameters. */
  readonly facts: readonly (readonly [name: string, value: string])[];
}

/** Two networks, compared. */
export interface ComparedPair {
  readonly a: string;
  readonly b: string;
  readonly verdict: string;
  /** Confidence in the verdict, from 0.5 to 1. */
  readonly confidence: number;
  /** Measurements behind the verdict, in one line. */
  readonly evidence: string;
  readonly distance: number | null;
  readonly cosine: number | null;
  readonly kinship: number | null;
  /** Tensors of both networks in the order of the file, with their distances. */
  readonly tensors: readonly { readonly name: string; readonly distance: number | null }[];
}

/** A warning or remark about networks that are merged, in the words of the library. */
export type Finding = Pick<MergeFinding, "kind" | "severity" | "message" | "advice">;

/** Networks, compared. */
export interface Compared {
  /** Verdict on all networks, and what it means for a merge. */
  readonly verdict: string;
  readonly meaning: string;
  readonly confidence: number;
  /** Share of all numbers that was read. */
  readonly sampled: number;
  readonly pairs: readonly ComparedPair[];
  readonly findings: readonly Finding[];
  /** The advised way to merge in a few words, why, and its recipe; no recipe if the advice is not to merge. */
  readonly advice: { readonly way: string; readonly reason: string; readonly recipe: string | null };
  /** Family trees of at least three networks, one line for each network; empty without a family. */
  readonly tree: readonly string[];
  readonly seconds: number;
}

/** Symmetries of a graph. */
export interface FoundSymmetries {
  readonly symmetries: readonly {
    readonly name: string;
    readonly units: string;
    readonly axes: readonly string[];
  }[];
  /** Axes that stay, with the reason. */
  readonly frozen: readonly { readonly axis: string; readonly reason: string }[];
  /** Number of axes that move, and of all. */
  readonly free: number;
  readonly total: number;
  /** Kinds of changes beyond permutation, each with the number of units. */
  readonly beyond: readonly string[];
  /** Number of values that the proof compared, and the largest relative error among them. */
  readonly values: number;
  readonly maxRelativeError: number;
  /** What the proof refuted; undefined if it passed. */
  readonly failed: string | undefined;
}

/** Two networks of one architecture. */
export interface PairChoice {
  readonly a: string;
  readonly b: string;
  readonly graph: string;
}

/** B, aligned to A. */
export interface Aligned {
  /** Inner product of the weights that can move. */
  readonly before: number;
  readonly after: number;
  /** Value that no alignment exceeds. */
  readonly bound: number;
  /** Number of units that change places, and of all units. */
  readonly moved: number;
  readonly units: number;
  readonly maxRelativeError: number;
  readonly narrowed: boolean;
  readonly seconds: number;
  /** Name under which the command of the result writes the aligned network. */
  readonly name: string;
  /** Size of the aligned network's file, before it is written. */
  readonly bytes: number;
}

/** A place on the line between two networks. */
export interface LinePlace {
  readonly t: number;
  readonly loss: number;
  readonly error: number;
}

/** A line that was measured. */
export interface Line {
  readonly places: readonly LinePlace[];
  /** Largest rise of the loss above the straight line between the ends, in nats. */
  readonly barrier: number;
}

/** A figure of a result, as an SVG that stands alone. */
export interface DrawnFigure {
  readonly name: string;
  /** Description of the figure, for readers who do not see it. */
  readonly description: string;
  /** The figure in colours for a light background. */
  readonly light: string;
  /** The figure in colours for a dark background. */
  readonly dark: string;
}

/** Lines from A to B as it was given and to the aligned B, measured. */
export interface MeasuredLines {
  readonly before: Line;
  readonly after: Line;
  /** Figures that the command draws of the result. */
  readonly figures: readonly DrawnFigure[];
  readonly seconds: number;
}

/** What is measured between two networks. */
export interface BarrierChoice extends PairChoice {
  /** Name of the examples, such as `npz:digits.npz@2000`. */
  readonly data: string;
  readonly points: number;
  /** Whether figures are drawn to be read on a small screen. */
  readonly isNarrow: boolean;
}

/** A problem of a recipe. */
export interface RecipeProblem {
  /** Line of the recipe, from 1; undefined if it is not known. */
  readonly line: number | undefined;
  readonly text: string;
}

/** What a recipe would make. */
export interface Explained {
  /** Name of the method; undefined if the recipe has problems. */
  readonly method: string | undefined;
  readonly problems: readonly RecipeProblem[];
  readonly warnings: readonly RecipeProblem[];
  readonly merged: number;
  readonly copied: number;
  /** Bytes that are read, and bytes of the result. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Names of the networks that are read. */
  readonly networks: readonly string[];
  /** Whether networks are aligned first. */
  readonly aligns: boolean;
  /** Warnings and remarks about the networks, from a sample of their numbers, as the command gives them before it merges. */
  readonly findings: readonly Finding[];
  readonly groups: readonly {
    readonly tensors: string;
    readonly count: number;
    readonly dtype: string;
    readonly shape: readonly number[];
    readonly madeBy: string;
  }[];
  /** Tensors that the asked pattern fits, at most some, and how many it fits. */
  readonly tensors: readonly { readonly name: string; readonly madeBy: string; readonly reason: string }[];
  readonly fitting: number;
}

/** A parameter of a merge method, as its definition says. */
export interface MethodParameter {
  readonly name: string;
  readonly description: string;
  readonly of: "network" | "merge";
  readonly default: number | string | boolean | undefined;
  readonly least: number | undefined;
  readonly most: number | undefined;
  readonly whole: boolean;
  readonly choices: readonly (number | string | boolean)[];
}

/** A merge method, as its definition says. */
export interface KnownMethod {
  readonly name: string;
  readonly description: string;
  readonly source: string;
  readonly base: "none" | "optional" | "required";
  readonly least: number;
  readonly most: number | undefined;
  readonly parameters: readonly MethodParameter[];
}

/** A file that was written into the page's storage. */
export interface WrittenFile {
  readonly name: string;
  readonly bytes: number;
}

/** Share of the work that is done, in `[0, 1]`, and what is under way. */
export interface WorkProgress {
  readonly done: number;
  readonly stage: string;
}

/** What the lab needs to start. */
export interface LabStart {
  /** Address of the folder with the engine's files. */
  readonly engine: string;
  /** Address of the packed digits. */
  readonly digits: string;
  /** Address of the script that draws figures. */
  readonly figures: string;
}

/** Requests of the lab. */
export interface LabRequests {
  /** Opens the page's storage, removes what closed pages left unfinished, and lists the finished files. */
  "lab.start": Request<LabStart, never, { readonly written: readonly WrittenFile[] }>;
  /** Takes files, and says what all files are. */
  "lab.add": Request<{ readonly files: readonly GivenFile[] }, WorkProgress, KnownFiles>;
  /** Forgets a file. */
  "lab.remove": Request<{ readonly path: string }, never, KnownFiles>;
  /** Lists what is in a file. */
  "lab.inspect": Request<{ readonly path: string }, WorkProgress, WithCommand<Inspected>>;
  /** Reads a small file as text. */
  "lab.text": Request<{ readonly path: string }, never, string>;
  /** Compares networks. */
  "lab.compare": Request<{ readonly paths: readonly string[] }, WorkProgress, WithCommand<Compared>>;
  /** Finds and proves the symmetries of a graph, on a network if one is named. */
  "lab.symmetries": Request<
    {
      readonly graph: string;
      readonly network: string | undefined;
      /** Paths of other networks, one of which the graph may have been exported from. */
      readonly others: readonly string[];
    },
    WorkProgress,
    WithCommand<FoundSymmetries>
  >;
  /** Aligns B to A. */
  "lab.align": Request<PairChoice, WorkProgress, WithCommand<Aligned>>;
  /** Measures the line from A to B, and to the aligned B. */
  "lab.barrier": Request<
    BarrierChoice,
    WorkProgress & { readonly aligned: boolean; readonly place: LinePlace | undefined },
    WithCommand<MeasuredLines>
  >;
  /** Lists the methods of merging. */
  "lab.methods": Request<undefined, never, readonly KnownMethod[]>;
  /** Says what a recipe would make. */
  "lab.explain": Request<{ readonly recipe: string; readonly pattern: string }, never, Explained>;
  /** Merges by a recipe, into a file of the storage. */
  "lab.merge": Request<
    { readonly recipe: string; readonly name: string; readonly graph: string | undefined },
    WorkProgress,
    WithCommand<{
      readonly written: WrittenFile;
      readonly seconds: number;
      readonly notes: readonly string[];
    }>
  >;
  /** Writes the aligned B into a file of the storage. */
  "lab.save-aligned": Request<PairChoice & { readonly name: string }, WorkProgress, WithCommand<WrittenFile>>;
  /** Returns a written file, which is not read into memory. */
  "lab.written": Request<{ readonly name: string }, never, Blob>;
  /** Removes a written file. */
  "lab.discard": Request<{ readonly name: string }, never, undefined>;
}
