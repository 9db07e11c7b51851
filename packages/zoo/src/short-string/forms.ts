import { type Form, GRAMMAR } from "./grammar.ts";

/**
 * Describes the form of a family's short strings:
 * `vgg:<depth>[:w<width>][:batch|layer|group|none][:drop<dropout>]`.
 */
export function formOf({ name, depth, fields, required }: Form): string {
  const first = depth === undefined ? name : `${name}${depth.depths.join("|")}`;
  const rest = fields.map(({ option, form }) => (required.includes(option) ? `:${form}` : `[:${form}]`));
  return [first, ...rest].join("");
}

/** Forms of the short strings of every family, for messages and help. */
export const NETWORK_FORMS: readonly string[] = Object.freeze(Object.values(GRAMMAR).map(formOf));
