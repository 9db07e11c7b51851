import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { AnyMeasurement, SubjectName } from "@isthmus/findings";
import { BETWEEN, EVERY_NETWORK } from "../format/format-statistics.ts";
import { addExportedFromOptions } from "../open/exported-from-options.ts";
import { addScalingOptions } from "../open/open-data.ts";
import { addBindingOptions } from "../options/binding-options.ts";
import { addDataOption, dataForms } from "../options/data-forms.ts";
import { addEngineOption } from "../options/engine-option.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { addPairSubjectOptions } from "../options/pair-options.ts";
import { collect } from "../options/parse-values.ts";
import { addSetOptions } from "./set-options.ts";
import { addTrainedOptions } from "./trained-options.ts";

/** Way in which commands name a sort of subject. */
export interface SubjectForm {
  /** Arguments with their help, and how examples name them. */
  readonly arguments: readonly (readonly [name: string, help: string, example: string])[];
  /** Help of the arguments of a measurement on the line between them. @defaultValue the help beside them */
  readonly helpOnLine?: readonly string[];
  /**
   * Words for the networks whose statistics of norms are corrected, for the line about that.
   * @defaultValue there is no such line
   */
  readonly corrected?: string;
  /** Whether weights alone are read: example commands name no graph and no data. @defaultValue false */
  readonly isOfWeights?: true;
  /** Adds the options that name graphs, examples and settings of the subject. */
  addOptions(command: CommandUnknownOpts, measurement: AnyMeasurement): void;
}

const NETWORK_FORM: SubjectForm = {
  arguments: [["<network>", "the checkpoint: a file, or a folder", "a.safetensors"]],
  addOptions: addSharedOptions,
};

const NETWORKS_FORM: SubjectForm = {
  arguments: [
    ["<networks...>", "the checkpoints: files, or folders", "a.safetensors b.safetensors c.safetensors"],
  ],
  corrected: EVERY_NETWORK,
  addOptions: addSharedOptions,
};

const NETWORKS_AND_STAR_FORM: SubjectForm = {
  arguments: [
    [
      "<networks...>",
      "networks of one architecture; * and ? are wildcards for files",
      "'nets/*.safetensors'",
    ],
  ],
  corrected: EVERY_NETWORK,
  addOptions(command) {
    addSharedOptions(command);
    command
      .optionsGroup(HELP_GROUPS.networks)
      .option("--star <file>", "a network to align and place with the others, that is no part of their mean")
      .option(
        "--join <results...>",
        "put paths and planes between these networks on the map: results (.json) of isthmus curve, path, plane and landscape",
      );
  },
};

const PAIR_FORM: SubjectForm = {
  arguments: [
    ["<a>", "the first network: a checkpoint file, or a folder", "a.safetensors"],
    ["<b>", "the second network", "b.safetensors"],
  ],
  helpOnLine: ["the checkpoint at t = 0: a file, or a folder", "the checkpoint at t = 1"],
  corrected: BETWEEN,
  addOptions: addPairSubjectOptions,
};

const PAIR_ON_SETS_FORM: SubjectForm = {
  ...PAIR_FORM,
  addOptions(command) {
    addSetOptions(command);
    addPairSubjectOptions(command);
  },
};

const UNLIKE_PAIR_FORM: SubjectForm = {
  arguments: [
    ["<a>", "the first checkpoint: a file, or a folder", "a.safetensors"],
    ["<b>", "the second one; or the first again, to measure its own layers", "b.safetensors"],
  ],
  addOptions(command) {
    command
      .option(
        "--graph <file>",
        "the architecture of both, .onnx or model.json of a LayersModel (default: from config.json)",
      )
      .option("--graph-a <file>", "the architecture of A, if it is another one")
      .option("--graph-b <file>", "the architecture of B, if it is another one")
      .option(
        "--exported-from <checkpoint>",
        "the checkpoint that --graph was exported from, if it is none of the networks; it shows which weight is which",
      )
      .requiredOption("--data <name>", `examples; ${dataForms()}`);
    addExportedFromOptions(addScalingOptions(addEngineOption(command)));
  },
};

const ENSEMBLE_FORM: SubjectForm = {
  arguments: NETWORKS_AND_STAR_FORM.arguments,
  addOptions(command) {
    addSharedOptions(command);
    command
      .optionsGroup(HELP_GROUPS.networks)
      .option("--star <file>", "compare a star network, too, and networks on its rays to the networks")
      .option(
        "--ood-data <name>",
        "examples of other data, scaled as --data, on which predictions should be unsure; may be repeated",
        collect,
      )
      .option(
        "--statistics-data <name>",
        "examples on which batch norms of the mean of weights are measured (default: the first 2,500 of --data)",
      );
  },
};

const ATTACK_FORM: SubjectForm = {
  arguments: [
    [
      "<targets...>",
      "networks that changed examples are shown to; * and ? are wildcards for files",
      "'nets/*.safetensors'",
    ],
  ],
  addOptions(command) {
    addSharedOptions(command);
    command
      .optionsGroup(HELP_GROUPS.networks)
      .option(
        "--surrogate <file>",
        "a network that examples are made on alone, of several matches each; may be repeated",
        collect,
      )
      .option(
        "--together <files>",
        "networks that examples are made on by the mean of their logits, such as 'nets/*.pt'; may be repeated",
        collect,
      )
      .option(
        "--in-turn <files>",
        "networks of which one makes each step, as LGV does; may be repeated",
        collect,
      );
  },
};

const LANDSCAPE_FORM: SubjectForm = {
  arguments: NETWORK_FORM.arguments,
  addOptions(command) {
    addSharedOptions(command);
    command
      .option(
        "--directions <kind...>",
        "random, eigenvectors of the Hessian, trajectory, or checkpoints to go to (default: random)",
      )
      .option(
        "--snapshots <files...>",
        "a trajectory before the network, in its order; a folder for all in it",
      )
      .option(
        "--from <init>",
        "the line from this initialization to the network, and whether the loss only falls",
      );
  },
};

const PLANE_FORM: SubjectForm = {
  arguments: [
    ["<a>", "the checkpoint at the origin: a file, or a folder", "a.safetensors"],
    ["<b>", "the checkpoint above the x axis, such as the bend of a curve", "bend.safetensors"],
    ["<c>", "the checkpoint on the x axis", "b.safetensors"],
  ],
  corrected: EVERY_NETWORK,
  addOptions(command) {
    addSharedOptions(command);
    command
      .optionsGroup(HELP_GROUPS.networks)
      .option(
        "--place <file>",
        "another checkpoint, shown at the nearest place on the plane; may be repeated",
        collect,
      );
  },
};

const TRAINING_FORM: SubjectForm = { arguments: [], addOptions: addTrainedOptions };

/** Makes the form of networks whose weights alone are read, without an architecture. */
const weightsForm = ({ arguments: named }: SubjectForm): SubjectForm => ({
  arguments: named,
  isOfWeights: true,
  addOptions() {},
});

/** Adds the options of measurements whose networks share an architecture and are not aligned. */
function addSharedOptions(command: CommandUnknownOpts): void {
  command.option(
    "--graph <file>",
    "the architecture, .onnx or model.json of a LayersModel (default: from config.json)",
  );
  addDataOption(command, `labelled examples; ${dataForms()}`);
  addBindingOptions(addScalingOptions(addEngineOption(command)));
}

/** Ways in which commands name each sort of subject. */
export const SUBJECT_FORMS: Readonly<Record<SubjectName, SubjectForm>> = {
  network: NETWORK_FORM,
  networks: NETWORKS_FORM,
  "networks-and-star": NETWORKS_AND_STAR_FORM,
  pair: PAIR_FORM,
  "pair-on-sets": PAIR_ON_SETS_FORM,
  "unlike-pair": UNLIKE_PAIR_FORM,
  ensemble: ENSEMBLE_FORM,
  attack: ATTACK_FORM,
  landscape: LANDSCAPE_FORM,
  plane: PLANE_FORM,
  training: TRAINING_FORM,
  weights: weightsForm(NETWORK_FORM),
  "weights-of-pair": weightsForm(PAIR_FORM),
  "weights-of-networks": weightsForm(NETWORKS_FORM),
};
