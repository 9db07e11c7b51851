import { at } from "@isthmus/core";
import { EVERY_NETWORK } from "../format/format-statistics.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { collect } from "../options/parse-values.ts";
import { addSharedOptions, openNetworks, type SubjectForm } from "./open-subject.ts";

/** Options that name the networks that are placed in a plane. */
interface PlaneFlags {
  readonly place?: readonly string[] | undefined;
}

/** Way in which a command names and opens three networks of a plane, and others that are placed in it. */
export const PLANE_FORM: SubjectForm = {
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
  open(request, context, work) {
    const { place = [] } = request.flags as PlaneFlags;
    const paths = [...request.paths, ...place];
    return openNetworks({ ...request, paths }, context, ({ networks, ...opened }, shared) => {
      const modelOf = (index: number) => at(networks, index, "network");
      const models = [modelOf(0), modelOf(1), modelOf(2)] as const;
      return work({ ...shared, subject: { ...opened, models, placed: networks.slice(models.length) } });
    });
  },
};
