import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { MeasurementEntry, NetworkMaker } from "@isthmus/findings";
import { listAddedMakers, listAddedMeasurements, listMeasurements } from "@isthmus/measurements";
import { addDownloadOption } from "./options/download-option.ts";
import type { CreateVerb, RunVerb } from "./verb.ts";

/** A verb in the list of verbs, whose module is not loaded yet. */
export interface VerbEntry {
  /** One line for the list of verbs in the help. */
  readonly summary: string;
  /** Imports the module of the verb and returns the function that creates its command. */
  readonly load: () => Promise<CreateVerb>;
  /** Whether it describes all other verbs, which are loaded for it, too. @defaultValue false */
  readonly describesAll?: true;
  /** Whether it opens models that its user names, which `--download` may fetch. @defaultValue true */
  readonly opensModels?: boolean;
}

/** Loads the command of a verb, with `--download` if the verb opens models. */
export async function loadVerb(
  { load, opensModels = true }: VerbEntry,
  run: RunVerb,
): Promise<CommandUnknownOpts> {
  const command = (await load())(run);
  if (opensModels) addDownloadOption(command);
  return command;
}

/** Verbs by their names. */
type Verbs = Readonly<Record<string, VerbEntry>>;

/** Makes the verbs of the measurements of Isthmus: of all that train networks, or of all others. */
function measuringVerbs(training: boolean): Verbs {
  const added = listAddedMeasurements();
  return verbsOf(
    listMeasurements().filter((entry) => !added.includes(entry) && (entry.trains ?? false) === training),
  );
}

/** Makes the verbs of measurements; the ways of one verb share it. */
function verbsOf(entries: readonly MeasurementEntry[]): Verbs {
  const verbs = new Map<string, VerbEntry>();
  for (const { verb, summary } of entries) {
    const ways = entries.filter((entry) => entry.verb === verb);
    const load = async () => (await import("./measurement/measurement-verb.ts")).loadMeasurementVerb(ways);
    if (!verbs.has(verb)) verbs.set(verb, { summary, load });
  }
  return Object.fromEntries(verbs);
}

/** Makes the function that loads the command of a maker of networks. */
function makes(load: () => Promise<NetworkMaker>): VerbEntry["load"] {
  return async () => (await import("./making/making-verb.ts")).makingVerb(await load());
}

/** Commands that most people need first, with the purpose of each. */
const FIRST_STEPS: readonly (readonly [command: string, purpose: string])[] = [
  ["isthmus demo", "see it work"],
  ["isthmus inspect a.safetensors", "what is in a file"],
  ["isthmus compare a.pt b.pt", "can they be merged?"],
  ["isthmus merge llama-a llama-b --align -o merged", "align and average them"],
  ["isthmus barrier a.pt b.pt --graph m.onnx --data mnist", "loss on the way"],
];

/** Lists the commands that most people need first, for the top of the help. */
export function formatFirstSteps(): string {
  const width = Math.max(...FIRST_STEPS.map(([command]) => command.length));
  return `To begin with:\n${FIRST_STEPS.map(([command, purpose]) => `  ${command.padEnd(width)}  ${purpose}`).join("\n")}`;
}

/** Verbs of Isthmus, by their purpose. */
const VERB_GROUPS: Readonly<Record<string, Verbs>> = {
  "Merge networks": {
    compare: {
      summary: "Say whether networks can be merged, and what to do first",
      load: async () => (await import("./commands/compare.ts")).compareVerb,
    },
    align: {
      summary: "Permute the units of one network to match another",
      load: async () => (await import("./commands/align.ts")).alignVerb,
    },
    merge: {
      summary: "Average checkpoints, aligned first if asked, or merge what a recipe describes",
      load: async () => (await import("./commands/merge.ts")).mergeVerb,
    },
    moe: {
      summary: "Make a mixture of experts from dense models, by a recipe of mergekit-moe",
      load: async () => (await import("./commands/moe.ts")).moeVerb,
    },
    fuse: {
      summary: "Average two networks of different widths, by optimal transport of their units",
      load: async () => (await import("./commands/fuse.ts")).fuseVerb,
    },
    zip: {
      summary:
        "Merge the units of two networks that agree, and keep the others: a network up to twice as wide",
      load: async () => (await import("./commands/zip.ts")).zipVerb,
    },
    heal: {
      summary: "Train a merged network on the outputs of its experts, without labels, if it lost too much",
      load: async () => (await import("./commands/heal.ts")).healVerb,
    },
    transfer: {
      summary: "Move a fine-tune to another base",
      load: async () => (await import("./commands/transfer.ts")).transferVerb,
    },
    extract: {
      summary: "Store what fine-tuning changed as a small LoRA adapter that PEFT loads",
      load: async () => (await import("./commands/extract.ts")).extractVerb,
    },
    vocabulary: {
      summary: "Give a model the tokenizer of another, such as a draft model for speculative decoding",
      load: async () => (await import("./commands/vocabulary.ts")).vocabularyVerb,
    },
    search: {
      summary: "Search the numbers of a recipe for the best merge",
      load: async () => (await import("./commands/search.ts")).searchVerb,
    },
    "tune-merge": {
      summary: "Learn the weights of a recipe from data: by model, layer or tensor, with labels or without",
      load: async () => (await import("./commands/tune-merge.ts")).tuneMergeVerb,
    },
    verify: {
      summary: "Make a merge by a recipe again, and compare every bit",
      load: async () => (await import("./commands/verify.ts")).verifyVerb,
    },
  },
  "Measure networks, and what lies between them": {
    barrier: {
      summary: "Measure loss and error on the way from one network to another",
      load: async () => (await import("./commands/barrier.ts")).barrierVerb,
    },
    ...measuringVerbs(false),
    experts: {
      summary: "Show which experts of a mixture are used on what, find its routers anew, make fewer experts",
      load: async () => (await import("./commands/experts.ts")).expertsVerb,
    },
    symmetry: {
      summary: "Find out which units of a network can be permuted, and prove it",
      load: async () => (await import("./commands/symmetry.ts")).symmetryVerb,
    },
  },
  "Train networks, and find what connects them": {
    train: {
      summary: "Train a network, or fine-tune one",
      load: async () => (await import("./commands/train.ts")).trainVerb,
    },
    tune: {
      summary: "Train a network on so that it uses a cue no longer, or its last layer alone",
      load: async () => (await import("./commands/tune.ts")).tuneVerb,
    },
    ...measuringVerbs(true),
    star: {
      summary: "Find the network that straight lines of low loss connect to many others",
      load: async () => (await import("./commands/star.ts")).starVerb,
    },
    collect: {
      summary: "Train on from a network and collect networks on the way, and their mean",
      load: async () => (await import("./commands/collect.ts")).collectVerb,
    },
    teleport: {
      summary:
        "Move a network along its symmetries to where it quantises or trains better; it computes the same",
      load: makes(async () => (await import("@isthmus/teleportation")).TELEPORT),
    },
    prune: {
      summary: "Set the weights of a network to zero that matter least, and train it on without them",
      load: async () => (await import("./commands/prune.ts")).pruneVerb,
    },
  },
  "Study many networks, on one machine or many": {
    demo: {
      summary: "See all of it at work on two small networks",
      load: async () => (await import("./commands/demo.ts")).demoVerb,
      opensModels: false,
    },
    study: {
      summary: "Run a study that a file describes: train, align, measure, draw",
      load: async () => (await import("./commands/study.ts")).studyVerb,
    },
    worker: {
      summary: "Run tasks of studies, simulations, merges, maps and searches for other machines",
      load: async () => (await import("./commands/worker.ts")).workerVerb,
      opensModels: false,
    },
    queue: {
      summary: "Show, cancel and retry the tasks that wait for workers",
      load: async () => (await import("./commands/queue.ts")).queueVerb,
      opensModels: false,
    },
  },
  "Federate clients that keep their data": {
    federate: {
      summary: "Average the networks of many clients again and again",
      load: async () => (await import("./commands/federate.ts")).federateVerb,
      opensModels: false,
    },
  },
  "Look at files, and write others": {
    inspect: {
      summary: "Show what is in a checkpoint or a graph, or how two checkpoints differ",
      load: async () => (await import("./commands/inspect.ts")).inspectVerb,
    },
    convert: {
      summary: "Write a checkpoint in another format or element type",
      load: async () => (await import("./commands/convert.ts")).convertVerb,
    },
    quantize: {
      summary: "Put the weights of a network on a grid of 8 or 4 bits",
      load: makes(async () => (await import("@isthmus/sparsity")).QUANTIZE),
    },
    push: {
      summary: "Send a model to the Hugging Face hub, with a card that says what it was made of",
      load: async () => (await import("./commands/push.ts")).pushVerb,
      opensModels: false,
    },
    report: {
      summary: "Draw a result: in the terminal, as a page, as figures and tables",
      load: async () => (await import("./commands/report.ts")).reportVerb,
      opensModels: false,
    },
    doctor: {
      summary: "Say what works on this machine: engine, threads, memory, and each device, tried",
      load: async () => (await import("./commands/doctor.ts")).doctorVerb,
      opensModels: false,
    },
    completion: {
      summary: "Write the script by which a shell completes commands, options and files",
      load: async () => (await import("./commands/completion.ts")).completionVerb,
      opensModels: false,
      describesAll: true,
    },
  },
};

/**
 * Returns every verb by the purpose under which the help shows it, with the verbs that most people need first
 * at the top.
 */
export function verbGroups(): Readonly<Record<string, Verbs>> {
  const measuring = verbsOf(listAddedMeasurements());
  const making = listAddedMakers().map((maker) => {
    return [maker.name, { summary: maker.summary, load: makes(async () => maker) }] as const;
  });
  const groups = { "Your own measurements": measuring, "Your own networks": Object.fromEntries(making) };
  const added = Object.entries(groups).filter(([, verbs]) => Object.keys(verbs).length > 0);
  return { ...VERB_GROUPS, ...Object.fromEntries(added) };
}

/** Returns every verb by its name. */
export function listVerbs(): Verbs {
  return Object.assign({}, ...Object.values(verbGroups()));
}
