import { at } from "@isthmus/core";
import { chooseDirections, type DirectionOptions } from "../open/choose-directions.ts";
import { addSharedOptions, openNetworks, type SubjectForm } from "./open-subject.ts";

/** Way in which a command names and opens a network, and the networks that its landscape is laid along. */
export const LANDSCAPE_FORM: SubjectForm = {
  arguments: [["<network>", "the checkpoint: a file, or a folder", "a.safetensors"]],
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
  async open(request, context, work) {
    const { directions, others } = await chooseDirections(request.flags as DirectionOptions);
    const paths = [at(request.paths, 0, "path"), ...others];
    return openNetworks({ ...request, paths }, context, ({ networks, ...opened }, shared) =>
      work({
        ...shared,
        implied: { ...shared.implied, directions },
        subject: { ...opened, network: at(networks, 0, "network"), others: networks.slice(1) },
      }),
    );
  },
};
