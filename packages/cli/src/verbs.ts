import type { CreateVerb } from "./verb.ts";

/** A verb as the list of verbs knows it, before its module is loaded. */
export interface VerbEntry {
  readonly summary: string;
  readonly load: () => Promise<CreateVerb>;
}

/** Every verb, in the order of a working day. */
export const VERBS: Readonly<Record<string, VerbEntry>> = {
  inspect: {
    summary: "Show what is in a checkpoint or a graph",
    load: async () => (await import("./commands/inspect.ts")).inspectVerb,
  },
};
