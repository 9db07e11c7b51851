import { digestFile, type FieldsOf, textField } from "@isthmus/core";
import { readGraph } from "@isthmus/graph";
import type { GroupMaker } from "./group-maker.ts";

/** A network that is loaded from files. */
export interface LoadedNetwork {
  /** File of its architecture, an `.onnx` file. */
  readonly graph: string;
  /** File or folder of its weights. */
  readonly checkpoint: string;
  /**
   * Checkpoint that the graph was exported from, if that is none of the networks of the entry: it shows which
   * weight of the graph is which tensor.
   * @defaultValue looked for among the networks of the entry
   */
  readonly exportedFrom?: string;
}

const FIELDS: FieldsOf<Omit<LoadedNetwork, "graph">> = {
  checkpoint: textField({ help: "file or folder of its weights" }),
  exportedFrom: textField({
    help: "checkpoint that the graph was exported from (default: looked for among the networks of the entry)",
  }),
};

/** Maker of networks that are loaded from files. */
export const LOAD: GroupMaker<"none", LoadedNetwork, Omit<LoadedNetwork, "graph">> = {
  key: "graph",
  from: "none",
  options: FIELDS,
  required: ["checkpoint"],
  task: undefined,
  async plan({ entry: { graph, checkpoint, exportedFrom }, variables }) {
    const { graph: architecture } = await readGraph(graph);
    const fileOf = async (path: string) => ({ path, digest: await digestFile(path) });
    return [
      {
        variables,
        label: checkpoint,
        architecture,
        graph: await fileOf(graph),
        weights: await fileOf(checkpoint),
        ...(exportedFrom !== undefined && { exportedFrom: await fileOf(exportedFrom) }),
      },
    ];
  },
};
