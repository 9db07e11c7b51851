import { InvalidArgumentError } from "commander";

/**
 * Parses a variable with some of its values, `width=4,8`, and adds it to the variables of earlier `--only`.
 */
export function parseOnly(
  text: string,
  before: Readonly<Record<string, readonly string[]>> = {},
): Readonly<Record<string, readonly string[]>> {
  const [, variable = "", list = ""] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  const values = list
    .split(",")
    .map((value) => value.trim())
    .filter((value) => value !== "");
  if (variable === "" || values.length === 0) {
    throw new InvalidArgumentError("It must be a variable and values, such as width=4,8.");
  }
  return { ...before, [variable]: values };
}
