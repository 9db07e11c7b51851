import { byteLengthOf, type Checkpoint, entry, groupBy, MismatchError, sizeOf } from "@isthmus/core";
import { BLOCK_ARCHITECTURES, findBlockArchitecture, listBlocks, listNamedBlocks } from "@isthmus/recipe";
import { formatBytes, formatTable } from "../format/format-table.ts";
import type { Outcome } from "../verb.ts";

/**
 * Lists which tensors of a diffusion model are in which block.
 * @param named - kind of the model; true for the kind whose blocks the model has
 * @throws MismatchError if the model has the blocks of no kind that is known
 */
export function inspectBlocks(path: string, { tensors }: Checkpoint, named: string | true): Outcome {
  const kind = named === true ? findBlockArchitecture(tensors.keys()) : named;
  if (kind === undefined) {
    throw new MismatchError(
      `Cannot list the blocks of "${path}" as it must have those of one kind of diffusion model: it has those of none of ${[...BLOCK_ARCHITECTURES.keys()].join(", ")}; name one to see what it has of them, such as --blocks sdxl`,
      { parameters: [] },
    );
  }
  const architecture = entry(BLOCK_ARCHITECTURES, kind, "kind of diffusion model");
  const order = ["", ...listNamedBlocks(architecture)];
  const groups = groupBy([...tensors], ([name]) => listBlocks(architecture, name).join(", "));
  const placeOf = ([within]: readonly [string, unknown]) => order.indexOf(within.replace(/,.*/, ""));
  const blocks = [...groups]
    .sort((a, b) => placeOf(a) - placeOf(b))
    .map(([within, members]) => {
      const [name = null, ...wider] = within === "" ? [] : within.split(", ");
      return {
        name,
        partOf: wider,
        tensors: members.map(([tensor]) => tensor),
        parameters: members.reduce((sum, [, { shape }]) => sum + sizeOf(shape), 0),
        bytes: members.reduce((sum, [, info]) => sum + byteLengthOf(info), 0),
      };
    });
  const rows = blocks.map(({ name, partOf, tensors: members, parameters, bytes }) => [
    name === null ? "none" : partOf.length === 0 ? name : `${name}, part of ${partOf.join(", ")}`,
    String(members.length),
    parameters.toLocaleString("en-US"),
    formatBytes(bytes),
    members.at(0) ?? "",
  ]);
  const right = (title: string) => ({ title, align: "right" }) as const;
  const columns = [{ title: "block" }, ...["tensors", "parameters", "size"].map(right), { title: "such as" }];
  const lengths = architecture.orders.map(({ length }) => length);
  const listed = `${lengths.slice(0, -1).join(", ")} or ${lengths.at(-1)}`;
  return {
    result: { kind: "blocks", path, architecture: kind, blocks },
    text: `${formatTable(columns, rows)}\n\n${architecture.title}: "blocks: ${kind}" of a recipe takes a list of ${listed} values, or values by the names of blocks`,
  };
}
