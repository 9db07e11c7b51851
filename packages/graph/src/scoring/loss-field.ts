import { excerpt, type Field, fieldOf, InputError } from "@isthmus/core";
import { infoOf, LOSSES, type Loss, type LossName, type LossOfOutput } from "./losses.ts";

/** A loss that a text can name, in files and on command lines; functions are excluded. */
export type NamedLoss = Exclude<Loss, (...all: never) => unknown>;

const NAMES = LOSSES.map(({ name }) => name).join(", ");

/** Description of names of losses, to follow "must be". */
const RULE = `${NAMES}, or one of these for each of several outputs`;

/**
 * Field of the loss by which networks are scored, an option of all measurements of networks: on command
 * lines, in entries of studies and in the parameters of tasks.
 */
export const LOSS_FIELD: Field<NamedLoss> = fieldOf<NamedLoss>(
  { type: "special", name: "named-loss", rule: RULE, accepts: isNamedLoss },
  {
    flag: "loss",
    placeholder: "<name>",
    keyed: "if-named",
    help: `the loss by which networks are scored: ${NAMES}; or one for each of several outputs, such as boxes=mean-squared-error,class=cross-entropy (default: what follows from the labels and the output)`,
    parse: parseLoss,
  },
);

/** Checks whether a value names a loss, or a loss for each of several outputs. */
export function isNamedLoss(value: unknown): value is NamedLoss {
  if (typeof value === "string") return infoOf(value) !== undefined;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const parts = Object.values(value);
  return parts.length > 0 && parts.every(isLossOfOutput);
}

const KEYS: readonly string[] = ["loss", "targets", "weight"] satisfies (keyof LossOfOutput)[];

function isLossOfOutput(value: unknown): boolean {
  if (typeof value === "string") return infoOf(value) !== undefined;
  if (typeof value !== "object" || value === null) return false;
  const { loss, targets = "", weight = 1 }: Readonly<Record<string, unknown>> = { ...value };
  const isKnown = typeof loss === "string" && infoOf(loss) !== undefined && typeof targets === "string";
  const isWeight = typeof weight === "number" && Number.isFinite(weight) && weight > 0;
  return isKnown && isWeight && Object.keys(value).every((key) => KEYS.includes(key));
}

/**
 * Parses a loss from a command line: a name, or `output=name` for each of several outputs.
 * @throws InputError if the text is neither
 */
function parseLoss(text: string): NamedLoss {
  if (!text.includes("=")) return nameOf(text);
  const parts = text.split(",").map((part) => {
    // Names of outputs may contain any character, names of losses may not.
    const end = part.lastIndexOf("=");
    return [part.slice(0, Math.max(end, 0)), nameOf(part.slice(end + 1))] as const;
  });
  if (parts.every(([output]) => output !== "")) return Object.fromEntries(parts);
  throw new InputError(`Cannot read the loss ${excerpt(text)} as it must be ${RULE}: an output has no name`, {
    input: text,
  });
}

function nameOf(text: string): LossName {
  const name = infoOf(text)?.name;
  if (name === undefined)
    throw new InputError(`Cannot read the loss as it must be ${RULE}: it is ${excerpt(text)}`, {
      input: text,
    });
  return name;
}
