import { expandPaths, noteTwice } from "@isthmus/core";
import type { Subjects } from "@isthmus/findings";
import { EVERY_NETWORK } from "../format/format-statistics.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { noteData } from "../result/fed-data.ts";
import type { Context } from "../verb.ts";
import {
  addSharedOptions,
  type FurtherExamples,
  type NetworksRequest,
  type Opened,
  openNetworks,
  type SubjectForm,
} from "./open-subject.ts";

/** The arguments of a command that takes any number of networks. */
export const NETWORK_ARGUMENTS: SubjectForm["arguments"] = [
  ["<networks...>", "networks of one architecture; * and ? are wildcards for files", "'nets/*.safetensors'"],
];

/** Way in which commands name and open several networks of one architecture, and a star beside them. */
export const NETWORKS_AND_STAR_FORM: SubjectForm = {
  arguments: NETWORK_ARGUMENTS,
  corrected: EVERY_NETWORK,
  addOptions(command) {
    addSharedOptions(command);
    command
      .optionsGroup(HELP_GROUPS.networks)
      .option("--star <file>", "a network to align and place with the others, that is no part of their mean");
  },
  open: (request, context, work) =>
    openStarred(request, context, (subject, shared) => {
      // Training examples that statistics are measured on decide the result, although no option names them.
      if (subject.statisticsData !== undefined) noteData(subject.statisticsData);
      return work({ ...shared, subject });
    }),
};

/**
 * Opens networks that share an architecture, whose names may have wildcards, and the star that `--star`
 * names.
 */
export async function openStarred<T>(
  request: NetworksRequest,
  context: Context,
  work: (
    subject: Subjects["networks-and-star"],
    shared: Omit<Opened, "subject">,
    further: FurtherExamples,
  ) => Promise<T>,
): Promise<T> {
  const { star } = request.flags;
  const paths = await expandPaths(request.paths);
  noteTwice(paths, context.terminal.note);
  const all = star === undefined ? paths : [...paths, star];
  return openNetworks({ ...request, paths: all }, context, ({ networks, ...subject }, shared, further) =>
    work(
      {
        ...subject,
        networks: networks.slice(0, paths.length),
        star: networks[paths.length]?.network,
      },
      shared,
      further,
    ),
  );
}
