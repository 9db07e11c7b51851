import { type Field, listField, OutOfRangeError } from "@isthmus/core";
import { STATISTICS_CHOICES, STATISTICS_FIELD, type StatisticsChoice } from "@isthmus/statistics";
import type { LayerPattern } from "./group-layers.ts";

/**
 * Reads groups of layers separated by commas, with patterns separated by plus signs, and a name for a group
 * if it needs one: `head=fc*+norm,conv*`.
 * @throws OutOfRangeError if the text does not have this form
 */
function parseLayerPatterns(text: string): readonly LayerPattern[] {
  const groups = text.split(",").flatMap((group) => (group.trim() === "" ? [] : [group.trim()]));
  return groups.map((group) => {
    const [first = "", second, ...others] = group.split("=").map((part) => part.trim());
    const patterns = (second ?? first).split("+").map((pattern) => pattern.trim());
    if (first === "" || others.length > 0 || patterns.includes("")) {
      throw new OutOfRangeError(
        `Cannot group layers as they must be groups of layers such as head=fc*+norm,conv*: got "${group}"`,
      );
    }
    return { name: first, patterns };
  });
}

/** Field of groups that are formed of layers. */
export const GROUPS_FIELD: Field<readonly LayerPattern[]> = listField<LayerPattern>(
  {
    type: "object",
    parts: { name: { type: "text" }, patterns: { type: "list", of: { type: "text" }, least: 1 } },
  },
  {
    least: 0,
    default: [],
    parse: parseLayerPatterns,
    help: "layers to group, for example head=fc*+norm,conv*: names of layers or tensors, where * and ? are wildcards; every other layer is a group of its own",
  },
);

/** Field of the treatment of statistics in networks that consist of whole layers of two others. */
export const MIXED_STATISTICS_FIELD: Field<StatisticsChoice> = {
  ...STATISTICS_FIELD,
  // The closed form of REPAIR holds only if all layers are at one place between A and B.
  form: { type: "choice", values: STATISTICS_CHOICES.filter((policy) => policy !== "repair-closed-form") },
};
